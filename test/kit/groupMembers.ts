import type { Admin } from "kafkajs";

/** How many share the topics of a consumer group; 0 while their partitions are dealt out anew. */
export async function groupMembers(admin: Admin, groupId: string): Promise<number> {
  const [group] = (await admin.describeGroups([groupId])).groups;
  return group?.state === "Stable" ? group.members.length : 0;
}

import { TestBox } from "../kit/testBox.ts";

/** Beside the shared one: for a first run that is broken off, and for live ratings, which nothing takes back. */
export const ownBox = new TestBox({ name: "own", portOffset: 10_600, runtime: "embedded" });

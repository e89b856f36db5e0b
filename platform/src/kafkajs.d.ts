/** A connection's requests: kafkajs brings types of its public classes only. */
declare module "kafkajs/src/network/requestQueue/index.js" {
  export default class RequestQueue {
    constructor(options: {
      clientId: string;
      broker: string;
      logger: { debug: () => void };
      maxInFlightRequests: number;
    });
    /** Requests that wait until others are answered or a broker's throttling ends. */
    pending: unknown[];
    /** Epoch milliseconds; before now: not throttled. */
    throttledUntil: number;
    checkPendingRequests(): void;
    scheduleCheckPendingRequests(): void;
  }
}

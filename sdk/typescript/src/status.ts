// Who is online. Subscriptions end with a session of the server; here they last until they are taken back.

import type { Connection } from "./connection.js";
import { TYPES } from "./constants.js";
import { inLists } from "./pages.js";
import type { Status, StatusType } from "./wire.js";

export interface UserStatus {
  userID: string;
  statusType: number;
  customStatus: string;
}

const SUBSCRIBE_LIST_LEN_MAX = 100;
const STATUS_LIST_LEN_MAX = 500;

/** Lost and reachable by push is offline; logged out is what the other SDK calls not logged in. */
const STATUS_TYPES: Record<StatusType, number> = {
  Online: TYPES.USER_STATUS_ONLINE,
  PushOnline: TYPES.USER_STATUS_OFFLINE,
  Offline: TYPES.USER_STATUS_UNLOGINED,
  Unknown: TYPES.USER_STATUS_UNKNOWN,
};

export function readStatus({ user_id, status, custom }: Status): UserStatus {
  return { userID: user_id, statusType: STATUS_TYPES[status] ?? TYPES.USER_STATUS_UNKNOWN, customStatus: custom };
}

export class Statuses {
  #subscribed = new Set<string>();
  #custom: string | null = null;

  constructor(
    private readonly connection: Connection,
    private readonly onChange: (statuses: UserStatus[]) => void,
  ) {}

  async get(userIDs: string[]): Promise<UserStatus[]> {
    const found: UserStatus[] = [];
    for (const users of inLists(userIDs, STATUS_LIST_LEN_MAX)) {
      const { statuses } = await this.connection.request<"status">({ op: "status", users });
      found.push(...statuses.map(readStatus));
    }
    return found;
  }

  async set(custom: string): Promise<void> {
    await this.connection.request({ op: "set_status", custom });
    this.#custom = custom;
  }

  async subscribe(userIDs: string[]): Promise<void> {
    for (const users of inLists(userIDs, SUBSCRIBE_LIST_LEN_MAX)) await this.#subscribe(users);
  }

  async unsubscribe(userIDs: string[] | undefined): Promise<void> {
    await this.connection.request(userIDs ? { op: "unsubscribe", users: userIDs } : { op: "unsubscribe" });
    for (const userID of userIDs ?? [...this.#subscribed]) this.#subscribed.delete(userID);
  }

  /** A new session of the server knows nothing of what was asked of the one before. */
  async resume(): Promise<void> {
    if (this.#custom !== null) await this.connection.request({ op: "set_status", custom: this.#custom });
    await this.subscribe([...this.#subscribed]);
  }

  async #subscribe(users: string[]): Promise<void> {
    const { statuses, dropped } = await this.connection.request<"subscribe">({ op: "subscribe", users });
    for (const userID of users) this.#subscribed.add(userID);
    for (const userID of dropped ?? []) this.#subscribed.delete(userID);
    if (statuses.length > 0) this.onChange(statuses.map(readStatus));
  }
}

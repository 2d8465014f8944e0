// Friends, friend groups, requests to become friends, and the blocklist.

import type { Connection } from "./connection.js";
import { EVENT, TYPES } from "./constants.js";
import { badParameter } from "./errors.js";
import type { Events } from "./events.js";
import { inLists, pages } from "./pages.js";
import { readProfile } from "./profile.js";
import type { CustomField, Profile } from "./profile.js";
import type { Friend as WireFriend, FriendRequest, PeerResult, RelationNews, Tags } from "./wire.js";

export interface Friend {
  userID: string;
  remark: string;
  groupList: string[];
  source: string;
  wording: string;
  /** Unix seconds. */
  addTime: number;
  profile: Profile;
  friendCustomField: CustomField[];
}

export interface FriendApplication {
  userID: string;
  nick: string;
  avatar: string;
  time: number;
  source: string;
  wording: string;
  type: string;
}

export interface FriendGroup {
  name: string;
  count: number;
  userIDList: string[];
}

/** What became of each. */
export interface ListResult {
  successUserIDList: { userID: string; code: number }[];
  failureUserIDList: { userID: string; code: number }[];
}

export interface AddFriend {
  to: string;
  source: string;
  wording?: string;
  type?: string;
  remark?: string;
  groupName?: string;
}

const PAGE_LEN = 100;
const LIST_LEN_MAX = 100;
const BLOCK_LIST_LEN_MAX = 1_000;

export class Friends {
  #groups: string[] = [];

  constructor(
    private readonly connection: Connection,
    private readonly events: Events,
  ) {}

  async list(): Promise<Friend[]> {
    const friends: Friend[] = [];
    const limit = PAGE_LEN;
    const ask = (place: object) => this.connection.request<"friends">({ op: "friends", limit, ...place });
    for await (const page of pages(ask)) {
      friends.push(...page.friends.map(readFriend));
      this.#groups = page.groups;
    }
    return friends;
  }

  async get(userIDs: string[]): Promise<Friend[]> {
    const found: Friend[] = [];
    for (const peers of inLists(userIDs, LIST_LEN_MAX)) {
      const { friends } = await this.connection.request<"friends">({ op: "friends", peers });
      found.push(...friends.map(readFriend));
    }
    return found;
  }

  async add({ to, source, wording, type, remark, groupName }: AddFriend): Promise<{ pending: boolean }> {
    return this.connection.request<"befriend">(
      {
        op: "befriend",
        peer: to,
        mutual: type !== TYPES.SNS_ADD_TYPE_SINGLE,
        source,
        ...(wording !== undefined && { wording }),
        ...(remark !== undefined && { remark }),
        ...(groupName !== undefined && { group: groupName }),
      },
      false,
    );
  }

  async remove(userIDs: string[], type: string | undefined): Promise<ListResult> {
    const mutual = type !== TYPES.SNS_DELETE_TYPE_SINGLE;
    return this.#each(userIDs, LIST_LEN_MAX, (peers) =>
      this.connection.request<"unfriend">({ op: "unfriend", peers, mutual }),
    );
  }

  async check(userIDs: string[], type: string): Promise<{ userID: string; code: number; relation: string }[]> {
    const mutual = type !== TYPES.SNS_CHECK_TYPE_SINGLE;
    const found = [];
    for (const peers of inLists(userIDs, LIST_LEN_MAX)) {
      const { results } = await this.connection.request<"check_friends">({ op: "check_friends", peers, mutual });
      found.push(...results.map(({ peer, relation }) => ({ userID: peer, code: 0, relation })));
    }
    return found;
  }

  async note(userID: string, remark: string | undefined, fields: CustomField[] | undefined): Promise<void> {
    if (remark === undefined && !fields) throw badParameter("there is nothing to change");
    const custom: Tags = Object.fromEntries((fields ?? []).map(({ key, value }) => [key, value]));
    await this.connection.request({
      op: "note_friend",
      peer: userID,
      ...(remark !== undefined && { remark }),
      ...(fields && { custom }),
    });
  }

  /** Those that wait for the user's answer. */
  async applications(): Promise<FriendApplication[]> {
    const found: FriendApplication[] = [];
    const limit = PAGE_LEN;
    const ask = (place: object) => this.connection.request<"requests">({ op: "requests", limit, ...place });
    for await (const page of pages(ask)) found.push(...page.requests.map(readApplication));
    return found;
  }

  async accept(userID: string, type: string | undefined, remark: string | undefined): Promise<void> {
    const mutual = type !== TYPES.SNS_APPLICATION_AGREE;
    await this.connection.request({ op: "accept", peer: userID, mutual, ...(remark !== undefined && { remark }) });
  }

  async refuse(userID: string): Promise<void> {
    await this.connection.request({ op: "refuse", peer: userID });
  }

  /** Groups with who is in them; empty ones as well. */
  async groups(): Promise<FriendGroup[]> {
    return this.#groupsOf(await this.list());
  }

  async createGroup(name: string, userIDs: string[]): Promise<void> {
    await this.connection.request({ op: "add_groups", names: [name], peers: userIDs });
  }

  async deleteGroup(name: string): Promise<void> {
    await this.connection.request({ op: "delete_groups", names: [name] });
  }

  async renameGroup(name: string, to: string): Promise<void> {
    await this.connection.request({ op: "rename_group", name, to });
  }

  async joinGroup(name: string, userIDs: string[]): Promise<ListResult> {
    return this.#each(userIDs, LIST_LEN_MAX, (peers) =>
      this.connection.request<"join_group">({ op: "join_group", name, peers }),
    );
  }

  async leaveGroup(name: string, userIDs: string[]): Promise<ListResult> {
    return this.#each(userIDs, LIST_LEN_MAX, (peers) =>
      this.connection.request<"leave_group">({ op: "leave_group", name, peers }),
    );
  }

  async blocklist(): Promise<string[]> {
    const found: string[] = [];
    const limit = PAGE_LEN;
    const ask = (place: object) => this.connection.request<"blocked">({ op: "blocked", limit, ...place });
    for await (const page of pages(ask)) found.push(...page.blocked.map(({ peer }) => peer));
    return found;
  }

  async block(userIDs: string[]): Promise<ListResult> {
    return this.#each(userIDs, BLOCK_LIST_LEN_MAX, (peers) => this.connection.request<"block">({ op: "block", peers }));
  }

  async unblock(userIDs: string[]): Promise<ListResult> {
    return this.#each(userIDs, BLOCK_LIST_LEN_MAX, (peers) =>
      this.connection.request<"unblock">({ op: "unblock", peers }),
    );
  }

  /** Reads again what somebody listens for. */
  async changed(news: RelationNews): Promise<void> {
    const touches = (event: string, ...causes: string[]) => causes.includes(news) && this.events.has(event);
    if (touches(EVENT.BLACKLIST_UPDATED, "blocked", "unblocked")) {
      this.events.emit(EVENT.BLACKLIST_UPDATED, await this.blocklist());
    }
    if (touches(EVENT.FRIEND_APPLICATION_LIST_UPDATED, "asked", "unasked", "befriended", "blocked")) {
      const applications = await this.applications();
      const unreadCount = applications.length;
      this.events.emit(EVENT.FRIEND_APPLICATION_LIST_UPDATED, { friendApplicationList: applications, unreadCount });
    }
    // Blocking ends a friendship.
    const causes = ["befriended", "unfriended", "noted", "blocked", "grouped"];
    const [list, groups] = [EVENT.FRIEND_LIST_UPDATED, EVENT.FRIEND_GROUP_LIST_UPDATED];
    if (touches(list, ...causes) || touches(groups, ...causes)) {
      const friends = await this.list();
      this.events.emit(list, friends);
      this.events.emit(groups, this.#groupsOf(friends));
    }
  }

  #groupsOf(friends: Friend[]): FriendGroup[] {
    return this.#groups.map((name) => {
      const members = friends.filter(({ groupList }) => groupList.includes(name)).map(({ userID }) => userID);
      return { name, count: members.length, userIDList: members };
    });
  }

  async #each(
    userIDs: string[],
    lenMax: number,
    ask: (peers: string[]) => Promise<{ results: PeerResult[] }>,
  ): Promise<ListResult> {
    const result: ListResult = { successUserIDList: [], failureUserIDList: [] };
    for (const peers of inLists(userIDs, lenMax)) {
      const { results } = await ask(peers);
      for (const { peer: userID, code } of results) {
        (code === 0 ? result.successUserIDList : result.failureUserIDList).push({ userID, code });
      }
    }
    return result;
  }
}

function readFriend(wire: WireFriend): Friend {
  return {
    userID: wire.peer,
    remark: wire.remark,
    groupList: wire.groups,
    source: wire.source,
    wording: wire.wording,
    addTime: wire.time,
    profile: readProfile(wire.peer, wire.profile),
    friendCustomField: Object.entries(wire.custom).map(([key, value]) => ({ key, value })),
  };
}

function readApplication(wire: FriendRequest): FriendApplication {
  const { nick, avatar } = readProfile(wire.peer, wire.profile);
  const type = TYPES.SNS_APPLICATION_SENT_TO_ME;
  return { userID: wire.peer, nick, avatar, time: wire.time, source: wire.source, wording: wire.wording, type };
}

// What an app calls. The names, options and answers are those of the widely used chat SDK, as far as they are about two
// people; what each of them does is elsewhere.

import { EVENT } from "./constants.js";
import { Drafts } from "./drafts.js";
import type { MessageOptions } from "./drafts.js";
import { badParameter, ChatError, CLIENT_CODES, ok, Refused } from "./errors.js";
import type { Result } from "./errors.js";
import { Events } from "./events.js";
import type { Handler } from "./events.js";
import type { AddFriend, Friend, FriendApplication, FriendGroup, ListResult } from "./friends.js";
import { History } from "./history.js";
import type { Hopping, MessagePage } from "./history.js";
import { Message } from "./message.js";
import { settingsOf } from "./options.js";
import type { CreateOptions, Settings } from "./options.js";
import { inLists } from "./pages.js";
import { writeProfile } from "./profile.js";
import type { CustomField, Profile, ProfileChange } from "./profile.js";
import { sendMembers } from "./sending.js";
import type { SendOptions } from "./sending.js";
import { Session } from "./session.js";
import type { UserStatus } from "./status.js";
import type { Conversation } from "./store/conversations.js";
import { writeBody } from "./elements.js";
import { ERROR_CODES } from "./wire.js";
import type { Message as WireMessage, Notify, PushProvider } from "./wire.js";

/** Longest lists that the server takes in one request. */
const PEERS_LEN_MAX = 100;
const NOTIFY_LEN_MAX = 30;
const KEYS_LEN_MAX = 30;
const DELETE_LEN_MAX = 50;

export interface ConversationFilter {
  type?: string;
  markType?: number;
  hasUnreadCount?: boolean;
}

export interface Receipt {
  messageID: string;
  userID: string;
  isPeerRead: boolean;
  readCount: number;
  unreadCount: number;
}

export class Chat {
  readonly #settings: Settings;
  readonly #events = new Events();
  readonly #drafts: Drafts;
  #session: Session | null = null;

  constructor(options: CreateOptions) {
    this.#settings = settingsOf(options);
    this.#drafts = new Drafts(() => this.#in(), this.#settings.url);
  }

  // Session.

  async login({ userID, userSig }: { userID: string; userSig: string }): Promise<Result<{ repeatLogin: boolean }>> {
    if (!userID || !userSig) throw badParameter("login needs userID and userSig");
    if (this.#session?.userID === userID && this.#session.connected) return ok(LOGGED_IN(true));
    this.#session?.close(false);
    const session: Session = new Session({
      ...this.#settings,
      userID,
      userSig,
      events: this.#events,
      onEnd: () => {
        if (this.#session === session) this.#session = null;
      },
    });
    this.#session = session;
    try {
      await session.open();
    } catch (error) {
      if (this.#session === session) this.#session = null;
      throw error;
    }
    return ok(LOGGED_IN(false));
  }

  /** Messages that were not sent yet are not sent any more. */
  async logout(): Promise<Result<object>> {
    this.#session?.close(true);
    this.#session = null;
    return ok({});
  }

  /** As when the page ends: what was not sent yet is sent after the next login, if there is a `storage`. */
  async destroy(): Promise<void> {
    this.#session?.close(false);
    this.#session = null;
    this.#events.clear();
  }

  isReady(): boolean {
    return this.#session?.isReady ?? false;
  }

  getLoginUser(): string {
    return this.#session?.connected ? this.#session.userID : "";
  }

  /** Unix milliseconds. */
  getServerTime(): number {
    return this.#session?.connection.nowMs() ?? Date.now();
  }

  on(eventName: string, handler: Handler<any>, context?: unknown): void {
    this.#events.on(eventName, handler, context);
  }

  off(eventName: string, handler: Handler<any>, context?: unknown): void {
    this.#events.off(eventName, handler, context);
  }

  /** Uploading is part of this client: there is nothing to register. */
  registerPlugin(_plugins: Record<string, unknown>): void {}

  /** This client writes no log; what an app has to know is an event or an error. */
  setLogLevel(_level: number): void {}

  // Making messages.

  createTextMessage(options: MessageOptions): Message {
    return this.#drafts.text(options);
  }

  createCustomMessage(options: MessageOptions): Message {
    return this.#drafts.of("TIMCustomElem", options);
  }

  createFaceMessage(options: MessageOptions): Message {
    return this.#drafts.of("TIMFaceElem", options);
  }

  createLocationMessage(options: MessageOptions): Message {
    return this.#drafts.of("TIMLocationElem", options);
  }

  createImageMessage(options: MessageOptions): Message {
    return this.#drafts.media("image", options);
  }

  createAudioMessage(options: MessageOptions): Message {
    return this.#drafts.media("sound", options);
  }

  createVideoMessage(options: MessageOptions): Message {
    return this.#drafts.media("video", options);
  }

  createFileMessage(options: MessageOptions): Message {
    return this.#drafts.media("file", options);
  }

  createMergerMessage(options: MessageOptions): Message {
    return this.#drafts.merger(options);
  }

  createForwardMessage(options: MessageOptions): Message {
    return this.#drafts.forward(options);
  }

  async downloadMergerMessage(message: Message): Promise<Message> {
    const { downloadKey } = message.payload as { downloadKey?: string };
    if (downloadKey) throw notSupported("fetching combined messages that do not travel with the message");
    return message;
  }

  // Sending and changing.

  /** Resolves when the message is stored; without a connection it waits for one, in the order of the calls. */
  async sendMessage(message: Message, options: SendOptions = {}): Promise<Result<{ message: Message }>> {
    const session = this.#ready();
    if (!(message instanceof Message) || !message._own) throw badParameter("sendMessage takes what create…Message made");
    if (message.status === "success") throw badParameter("this message was sent already");
    try {
      if (message._upload) await this.#drafts.upload(message);
      await session.send(message, sendMembers(options));
    } catch (error) {
      message.status = "fail";
      throw error;
    }
    return ok({ message });
  }

  async resendMessage(message: Message, options: SendOptions = {}): Promise<Result<{ message: Message }>> {
    return this.sendMessage(message, options);
  }

  /** Messages that wait to be sent, such as those that an earlier page left behind. */
  getUnsentMessageList(): Message[] {
    return this.#in().outbox.unsent;
  }

  async revokeMessage(message: Message): Promise<Result<{ message: Message }>> {
    const { peer, key } = place(message);
    await this.#ready().connection.request({ op: "recall", peer, key });
    message.revoked();
    return ok({ message });
  }

  async modifyMessage(message: Message): Promise<Result<{ message: Message }>> {
    const session = this.#ready();
    const { peer, key } = place(message);
    const { cloudCustomData: custom_data, version } = message;
    const isBodyFree = EDITABLE.includes(message.type);
    const body = isBodyFree && { body: writeBody(message.elements()) };
    try {
      const request = { op: "edit" as const, peer, key, custom_data, version, ...body };
      const answer = await session.connection.request<"edit">(request, false);
      message.update(answer.message);
    } catch (error) {
      const latest = (error as Refused).data as { message?: WireMessage } | undefined;
      if (!(error instanceof Refused) || !CONFLICTS.includes(error.code) || !latest?.message) throw error;
      message.update(latest.message);
      throw new ChatError(CLIENT_CODES.MessageConflict, error.message, { message });
    }
    return ok({ message });
  }

  async deleteMessage(list: Message | Message[]): Promise<Result<{ messageList: Message[] }>> {
    const session = this.#ready();
    const messages = [list].flat();
    const { peer, keys } = places(messages);
    for (const some of inLists(keys, DELETE_LEN_MAX)) {
      await session.connection.request({ op: "delete", peer, keys: some });
    }
    for (const message of messages) message.isDeleted = true;
    return ok({ messageList: messages });
  }

  findMessage(messageID: string): Message | null {
    return this.#in().messages.find(messageID);
  }

  async getMessageExtensions(message: Message, keyList?: string[]): Promise<Result<{ extensions: KeyValue[] }>> {
    const { peer, key } = place(message);
    const answer = await this.#ready().connection.request<"extensions">({ op: "extensions", peer, key });
    const pairs = answer.extensions.map(({ Key, Value }) => ({ key: Key, value: Value }));
    return ok({ extensions: keyList?.length ? pairs.filter((pair) => keyList.includes(pair.key)) : pairs });
  }

  async setMessageExtensions(message: Message, extensions: KeyValue[]): Promise<Result<{ extensions: KeyResult[] }>> {
    const set = extensions.map(({ key, value }) => ({ Key: key, Value: value }));
    return this.#extend(message, { set });
  }

  /** Without a list of keys, all of them. */
  async deleteMessageExtensions(message: Message, keyList?: string[]): Promise<Result<{ extensions: KeyResult[] }>> {
    return this.#extend(message, keyList ? { delete: keyList.map((Key) => ({ Key })) } : { clear: true });
  }

  // History and what was read.

  /** The newest page, or the one before the message of that id. */
  async getMessageList(options: { conversationID: string; nextReqMessageID?: string }): Promise<Result<MessagePage>> {
    return ok(await new History(this.#ready()).page(options));
  }

  async getMessageListHopping(options: Hopping): Promise<Result<MessagePage & { nextMessageTime: number }>> {
    return ok(await new History(this.#ready()).hop(options));
  }

  async setMessageRead({ conversationID }: { conversationID: string }): Promise<Result<{ conversationID: string }>> {
    await this.#ready().connection.request({ op: "read", peer: peerOf(conversationID) });
    return ok({ conversationID });
  }

  async setAllMessageRead(_options: { scope?: string } = {}): Promise<Result<object>> {
    await this.#ready().connection.request({ op: "read_all" });
    return ok({});
  }

  async sendMessageReadReceipt(list: Message | Message[]): Promise<Result<object>> {
    const session = this.#ready();
    const wanted = [list].flat().filter((message) => message.needReadReceipt && message.flow === "in");
    const { peer, keys } = places(wanted);
    for (const some of inLists(keys, KEYS_LEN_MAX)) {
      await session.connection.request({ op: "confirm", peer, keys: some });
    }
    return ok({});
  }

  async getMessageReadReceiptList(list: Message[]): Promise<Result<{ messageReceiptList: Receipt[] }>> {
    const session = this.#ready();
    const { peer, keys } = places(list);
    const confirmed = new Set<string>();
    for (const some of inLists(keys, KEYS_LEN_MAX)) {
      const { receipts } = await session.connection.request<"receipts">({ op: "receipts", peer, keys: some });
      for (const receipt of receipts) if (receipt.confirmed) confirmed.add(receipt.key);
    }
    const messageReceiptList = list.map((message) => {
      const isPeerRead = confirmed.has(message._key);
      if (isPeerRead) message.confirmed();
      const [readCount, unreadCount] = [Number(isPeerRead), Number(!isPeerRead)];
      return { messageID: message.ID, userID: peer, isPeerRead, readCount, unreadCount };
    });
    return ok({ messageReceiptList });
  }

  async clearHistoryMessage(conversationID: string): Promise<Result<{ conversationID: string }>> {
    await this.#ready().connection.request({ op: "clear", peer: peerOf(conversationID) });
    return ok({ conversationID });
  }

  // Conversations.

  /** All of them, those of a list of ids, or those that fit a filter. */
  async getConversationList(
    which?: string[] | ConversationFilter,
  ): Promise<Result<{ conversationList: Conversation[]; isSyncCompleted: boolean }>> {
    const all = this.#ready().conversations.list();
    return ok({ conversationList: all.filter(fits(which)), isSyncCompleted: true });
  }

  async getConversationProfile(conversationID: string): Promise<Result<{ conversation: Conversation }>> {
    const session = this.#ready();
    const conversation = session.conversations.get(peerOf(conversationID));
    if (!conversation) throw new ChatError(CLIENT_CODES.ConversationNotFound, "there is no such conversation");
    return ok({ conversation });
  }

  async deleteConversation(
    which: string | { conversationIDList: string[]; clearHistoryMessage?: boolean },
  ): Promise<Result<{ successConversationIDList: string[]; failureConversationIDList: object[] } | object>> {
    const session = this.#ready();
    const ids = typeof which === "string" ? [which] : which.conversationIDList;
    const erase = typeof which === "string" ? true : (which.clearHistoryMessage ?? true);
    for (const id of ids) await session.connection.request({ op: "remove", peer: peerOf(id), erase });
    return typeof which === "string"
      ? ok({ conversationID: which })
      : ok({ successConversationIDList: ids, failureConversationIDList: [] });
  }

  async pinConversation(options: { conversationID: string; isPinned: boolean }): Promise<Result<object>> {
    const { conversationID, isPinned: pinned } = options;
    await this.#ready().connection.request({ op: "pin", peer: peerOf(conversationID), pinned });
    return ok({ conversationID });
  }

  /** On this device alone. */
  async setConversationDraft(options: { conversationID: string; draftText: string }): Promise<Result<object>> {
    const session = this.#ready();
    session.conversations.draft(peerOf(options.conversationID), options.draftText);
    session.listChanged();
    return ok({});
  }

  async setConversationCustomData(options: {
    conversationIDList: string[];
    customData: string;
  }): Promise<Result<ConversationResults>> {
    const { conversationIDList, customData: custom } = options;
    return this.#eachPeer(conversationIDList, (peers) => ({ op: "annotate", peers, custom }));
  }

  async markConversation(options: {
    conversationIDList: string[];
    markType: number;
    enableMark: boolean;
  }): Promise<Result<ConversationResults>> {
    const { conversationIDList, markType: mark, enableMark: on } = options;
    return this.#eachPeer(conversationIDList, (peers) => ({ op: "mark", peers, mark, on }));
  }

  /** Without conversations that do not ring. */
  getTotalUnreadMessageCount(): number {
    return this.#in().conversations.unreadToShow();
  }

  async setMessageRemindType(options: { userIDList: string[]; messageRemindType: Notify }): Promise<Result<ListResult>> {
    const session = this.#ready();
    const { userIDList, messageRemindType: notify } = options;
    for (const peers of inLists(userIDList, NOTIFY_LEN_MAX)) {
      await session.connection.request({ op: "notify", peers, notify });
    }
    const successUserIDList = userIDList.map((userID) => ({ userID, code: 0 }));
    return ok({ successUserIDList, failureUserIDList: [] });
  }

  // People.

  async getMyProfile(): Promise<Result<Profile>> {
    const session = this.#ready();
    const [profile] = await session.profiles.fetch([session.userID]);
    if (!profile) throw new ChatError(ERROR_CODES.ProfileAccountNotFound.code, "there is no such account");
    return ok(profile);
  }

  async getUserProfile({ userIDList }: { userIDList: string[] }): Promise<Result<Profile[]>> {
    const session = this.#ready();
    const found = await session.profiles.fetch(userIDList);
    session.conversations.refresh();
    return ok(found);
  }

  async updateMyProfile(change: ProfileChange): Promise<Result<Profile>> {
    const session = this.#ready();
    await session.connection.request({ op: "set_profile", profile: writeProfile(change) });
    return this.getMyProfile();
  }

  async getBlacklist(): Promise<Result<string[]>> {
    return ok(await this.#ready().friends.blocklist());
  }

  async addToBlacklist({ userIDList }: { userIDList: string[] }): Promise<Result<string[]>> {
    const friends = this.#ready().friends;
    throwIfAllFailed(await friends.block(userIDList));
    return ok(await friends.blocklist());
  }

  async removeFromBlacklist({ userIDList }: { userIDList: string[] }): Promise<Result<string[]>> {
    const friends = this.#ready().friends;
    throwIfAllFailed(await friends.unblock(userIDList));
    return ok(await friends.blocklist());
  }

  /** Has this device pushed what it misses while it is not connected. Each login may bring another token. */
  async registerPush({ provider, token }: { provider: PushProvider; token: string }): Promise<Result<object>> {
    await this.#ready().connection.request({ op: "set_push_token", provider, token });
    return ok({});
  }

  async unregisterPush(): Promise<Result<object>> {
    await this.#ready().connection.request({ op: "drop_push_token" });
    return ok({});
  }

  async setSelfStatus({ customStatus }: { customStatus: string }): Promise<Result<UserStatus>> {
    const session = this.#ready();
    await session.statuses.set(customStatus);
    return ok({ userID: session.userID, statusType: 1, customStatus });
  }

  async getUserStatus({ userIDList }: { userIDList: string[] }): Promise<Result<StatusList>> {
    const found = await this.#ready().statuses.get(userIDList);
    const isKnown = ({ statusType }: UserStatus) => statusType !== 0;
    const failed = found.filter((status) => !isKnown(status));
    const failureUserList = failed.map(({ userID }) => ({ userID, code: ERROR_CODES.AccountNotFound.code }));
    return ok({ successUserList: found.filter(isKnown), failureUserList });
  }

  async subscribeUserStatus({ userIDList }: { userIDList: string[] }): Promise<Result<{ failureUserList: object[] }>> {
    await this.#ready().statuses.subscribe(userIDList);
    return ok({ failureUserList: [] });
  }

  async unsubscribeUserStatus(options: { userIDList?: string[] } = {}): Promise<Result<{ failureUserList: object[] }>> {
    await this.#ready().statuses.unsubscribe(options.userIDList);
    return ok({ failureUserList: [] });
  }

  // Friends.

  async getFriendList(): Promise<Result<Friend[]>> {
    return ok(await this.#ready().friends.list());
  }

  /** `code` in the answer is 30539 while the other party has to agree. */
  async addFriend(options: AddFriend): Promise<Result<{ userID: string; code: number; message: string }>> {
    const { pending } = await this.#ready().friends.add(options);
    const code = pending ? ERROR_CODES.FriendRequestPending.code : 0;
    return ok({ userID: options.to, code, message: pending ? "waits for an answer" : "" });
  }

  async deleteFriend({ userIDList, type }: { userIDList: string[]; type?: string }): Promise<Result<ListResult>> {
    return ok(await this.#ready().friends.remove(userIDList, type));
  }

  async checkFriend({ userIDList, type }: { userIDList: string[]; type: string }): Promise<Result<FriendChecks>> {
    const checked = await this.#ready().friends.check(userIDList, type);
    return ok({ successUserIDList: checked, failureUserIDList: [] });
  }

  async getFriendProfile({ userIDList }: { userIDList: string[] }): Promise<Result<FriendsFound>> {
    const friendList = await this.#ready().friends.get(userIDList);
    const found = new Set(friendList.map(({ userID }) => userID));
    const missing = userIDList.filter((userID) => !found.has(userID));
    const failureUserIDList = missing.map((userID) => ({ userID, code: ERROR_CODES.NotFriendsYet.code }));
    return ok({ friendList, failureUserIDList });
  }

  async updateFriend(options: {
    userID: string;
    remark?: string;
    friendCustomField?: CustomField[];
  }): Promise<Result<Friend | object>> {
    const friends = this.#ready().friends;
    await friends.note(options.userID, options.remark, options.friendCustomField);
    return ok((await friends.get([options.userID]))[0] ?? {});
  }

  async getFriendApplicationList(): Promise<Result<{ friendApplicationList: FriendApplication[]; unreadCount: number }>> {
    const friendApplicationList = await this.#ready().friends.applications();
    return ok({ friendApplicationList, unreadCount: friendApplicationList.length });
  }

  async acceptFriendApplication(options: { userID: string; remark?: string; type?: string }): Promise<Result<object>> {
    await this.#ready().friends.accept(options.userID, options.type, options.remark);
    return ok({});
  }

  async refuseFriendApplication({ userID }: { userID: string }): Promise<Result<object>> {
    await this.#ready().friends.refuse(userID);
    return ok({});
  }

  /** Of those that came in; one's own are not listed, and go when they are answered. */
  async deleteFriendApplication({ userID }: { userID: string; type?: string }): Promise<Result<object>> {
    return this.refuseFriendApplication({ userID });
  }

  async getFriendGroupList(): Promise<Result<FriendGroup[]>> {
    return ok(await this.#ready().friends.groups());
  }

  async createFriendGroup({ name, userIDList = [] }: { name: string; userIDList?: string[] }): Promise<Result<object>> {
    await this.#ready().friends.createGroup(name, userIDList);
    return ok({ friendGroup: { name, userIDList, count: userIDList.length }, failureUserIDList: [] });
  }

  async deleteFriendGroup({ name }: { name: string }): Promise<Result<object>> {
    await this.#ready().friends.deleteGroup(name);
    return ok({ name });
  }

  async addToFriendGroup({ name, userIDList }: { name: string; userIDList: string[] }): Promise<Result<ListResult>> {
    return ok(await this.#ready().friends.joinGroup(name, userIDList));
  }

  async removeFromFriendGroup(options: { name: string; userIDList: string[] }): Promise<Result<ListResult>> {
    return ok(await this.#ready().friends.leaveGroup(options.name, options.userIDList));
  }

  async renameFriendGroup({ oldName, newName }: { oldName: string; newName: string }): Promise<Result<object>> {
    await this.#ready().friends.renameGroup(oldName, newName);
    return ok({ name: newName });
  }

  // How the rest reaches the session.

  #in(): Session {
    if (!this.#session) throw new ChatError(CLIENT_CODES.NotLoggedIn, "nobody is logged in");
    return this.#session;
  }

  #ready(): Session {
    const session = this.#in();
    if (!session.isReady) throw new ChatError(CLIENT_CODES.NotReady, `wait for ${EVENT.SDK_READY}`);
    return session;
  }

  async #extend(message: Message, change: Extend): Promise<Result<{ extensions: KeyResult[] }>> {
    const { peer, key } = place(message);
    const request = { op: "extend" as const, peer, key, ...change };
    const { results } = await this.#ready().connection.request<"extend">(request);
    return ok({ extensions: results.map(({ Key, Value, code }) => ({ key: Key, value: Value, code })) });
  }

  async #eachPeer(
    ids: string[],
    request: (peers: string[]) => Parameters<Session["connection"]["request"]>[0],
  ): Promise<Result<ConversationResults>> {
    const session = this.#ready();
    for (const peers of inLists(ids.map(peerOf), PEERS_LEN_MAX)) await session.connection.request(request(peers));
    return ok({ successConversationIDList: ids, failureConversationIDList: [] });
  }
}

export interface KeyValue {
  key: string;
  value: string;
}
export interface KeyResult extends KeyValue {
  code: number;
}
export interface ConversationResults {
  successConversationIDList: string[];
  failureConversationIDList: object[];
}
export interface StatusList {
  successUserList: UserStatus[];
  failureUserList: { userID: string; code: number }[];
}
export interface FriendChecks {
  successUserIDList: { userID: string; code: number; relation: string }[];
  failureUserIDList: object[];
}
export interface FriendsFound {
  friendList: Friend[];
  failureUserIDList: { userID: string; code: number }[];
}
type Extend =
  | { set: { Key: string; Value: string }[] }
  | { delete: { Key: string }[] }
  | { clear: true };

/** Of other messages only `cloudCustomData` may be changed. */
const EDITABLE: readonly string[] = ["TIMTextElem", "TIMCustomElem", "TIMLocationElem", "TIMFaceElem"];
/** Somebody else was first, or is at it. */
const CONFLICTS: readonly number[] = [20027, 20028];

const LOGGED_IN = (repeatLogin: boolean) => ({ actionStatus: "OK", errorCode: 0, errorInfo: "", repeatLogin });

function notSupported(what: string): ChatError {
  return new ChatError(CLIENT_CODES.NotSupported, `${what} is not supported`);
}

function peerOf(conversationID: string): string {
  if (!conversationID?.startsWith("C2C") || conversationID.length <= 3) {
    throw badParameter("conversationID is C2C and the user's id");
  }
  return conversationID.slice(3);
}

function place(message: Message): { peer: string; key: string } {
  if (!message?._key) throw badParameter("this message is not stored");
  return { peer: peerOf(message.conversationID), key: message._key };
}

/** Messages of one conversation. */
function places(messages: Message[]): { peer: string; keys: string[] } {
  const all = messages.map(place);
  const peer = all[0]?.peer ?? "";
  if (all.some((it) => it.peer !== peer)) throw badParameter("the messages belong to different conversations");
  return { peer, keys: all.map(({ key }) => key) };
}

function fits(which: string[] | ConversationFilter | undefined): (conversation: Conversation) => boolean {
  if (which === undefined) return () => true;
  if (Array.isArray(which)) return ({ conversationID }) => which.includes(conversationID);
  const { type, markType, hasUnreadCount } = which;
  return (it) =>
    (type === undefined || it.type === type) &&
    (markType === undefined || it.markList.includes(markType)) &&
    (hasUnreadCount === undefined || it.unreadCount > 0 === hasUnreadCount);
}

/** One that worked is worth an answer; if none did, the first says why. */
function throwIfAllFailed({ successUserIDList, failureUserIDList }: ListResult): void {
  const first = failureUserIDList[0];
  if (successUserIDList.length > 0 || !first) return;
  throw new ChatError(first.code, `refused for ${first.userID}`, { failureUserIDList });
}

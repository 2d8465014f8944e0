// Written by `cargo xtask codegen` from crates/protocol/src/client/surface.rs. Change that, not this file.

import type { MsgBody } from "./elements.js";
import type {
  Blocked,
  Conversation,
  Done,
  Extension,
  ExtensionResult,
  ExtensionToDelete,
  ExtensionToSet,
  Friend,
  FriendCheck,
  FriendRequest,
  MediaKind,
  Message,
  MsgKey,
  Notify,
  OfflinePushInfo,
  PeerResult,
  Position,
  Profile,
  PushProvider,
  Receipt,
  Status,
  Tags,
  WireError,
} from "./objects.js";

/** Logs in. It is the first frame of every connection. */
export interface ConnectRequest {
  op: "connect";
  /** The app. */
  sdkappid: number;
  /** Who logs in. */
  user_id: string;
  /** The proof, made by the app's backend. */
  usersig: string;
  /** `Web`, `Android`, `iOS`, `Windows`, `Mac` or `iPad`; anything else counts as `Unknown`. Left out: `Unknown`. */
  platform?: string;
  /** Stays the same from login to login. Left out: a device of its own. */
  device_id?: string;
  /** The last position that the device has. Left out: nothing of the past is pushed. */
  position?: Position;
}

/** What `connect` answers. */
export interface ConnectAnswer {
  /** Who is logged in. */
  user_id: string;
  /** Where the user's log ends. */
  position: Position;
  /** Whether what the device has is of no use. */
  resync: boolean;
  /** Unread messages in all conversations. */
  unread: number;
  /** How often the server wants to hear from the device. */
  heartbeat_secs: number;
  /** The server's clock, in Unix milliseconds. */
  server_time_ms: number;
  /** Names this connection. */
  session: string;
  /** For how long a message can be recalled. */
  recall_secs: number;
  /** How long a message can be. */
  message_bytes_max: number;
  /** Whether files can be uploaded. */
  media: boolean;
}

/** Asks whether anybody is there. */
export interface PingRequest {
  op: "ping";
}

/** What `ping` answers. */
export interface PingAnswer {
  /** The server's clock, in Unix milliseconds. */
  server_time_ms: number;
}

/** Sends a message. */
export interface SendRequest {
  op: "send";
  /** The recipient. */
  to: string;
  /** Chosen anew for each message, and kept when the message is sent again. */
  random: number;
  /** What it says. */
  body: MsgBody;
  /** Travels with the message, as `CloudCustomData`. Left out: empty. */
  custom_data?: string;
  /** The device's clock in Unix seconds. Left out: the server's clock. */
  client_time?: number;
  /** `MsgSeq`. Left out: the server numbers the messages of the conversation. */
  seq?: number;
  /** Not kept: only for the recipient's connections of this moment. Left out: false. */
  online_only?: boolean;
  /** Its recipient can confirm to have read it. Left out: false. */
  need_read_receipt?: boolean;
  /** It does not count as unread. Left out: false. */
  no_unread?: boolean;
  /** It does not move the conversation in the list. Left out: false. */
  no_last_msg?: boolean;
  /** Key-value pairs can be put on it. Left out: false. */
  support_extension?: boolean;
  /** How to push it to devices that are not connected. Left out: none. */
  offline_push?: OfflinePushInfo;
}

/** What `send` answers. */
export interface SendAnswer {
  /** Its time, in Unix seconds. */
  MsgTime: number;
  /** Its key. */
  MsgKey: MsgKey;
  /** What it is known by among clients. */
  MsgId: string;
}

/** Reads a page of a conversation, as its user sees it. At most one of `before`, `after`, `until`, `from`. */
export interface HistoryRequest {
  op: "history";
  /** The other party. */
  peer: string;
  /** How many messages at most, up to `limits.history_page_len_max` (100). Left out: 20. */
  limit?: number;
  /** Only messages older than this one. Left out: from the newest on. */
  before?: MsgKey;
  /** Only messages newer than this one; the page runs forwards. Left out: from the newest on. */
  after?: MsgKey;
  /** Only messages of this Unix second or older ones. Left out: from the newest on. */
  until?: number;
  /** Only messages of this Unix second or newer ones; the page runs forwards. Left out: from the newest on. */
  from?: number;
}

/** What `history` answers. */
export interface HistoryAnswer {
  /** From old to new. */
  messages: Message[];
  /** Whether nothing is left in the direction of the page. */
  complete: boolean;
  /** What to give as `before`, or as `after` where the page runs forwards, for the next page; `null` when this is the last one. */
  next: MsgKey | null;
}

/** Takes back a message of one's own. */
export interface RecallRequest {
  op: "recall";
  /** The other party. */
  peer: string;
  /** The key of the message. */
  key: MsgKey;
}

/** Changes what a message says. At least one of `body`, `custom_data`. */
export interface EditRequest {
  op: "edit";
  /** The other party. */
  peer: string;
  /** The key of the message. */
  key: MsgKey;
  /** What it says from now on. Left out: stays. */
  body?: MsgBody;
  /** What travels with it from now on. Left out: stays. */
  custom_data?: string;
  /** Edit only if the message still has this `MsgVersion`. Left out: the last edit wins. */
  version?: number;
}

/** What `edit` answers. */
export interface EditAnswer {
  /** The `MsgVersion` that the message has now. */
  version: number;
  /** The message as it is now. */
  message: Message;
}

/** Takes messages out of one's own history. */
export interface DeleteRequest {
  op: "delete";
  /** The other party. */
  peer: string;
  /** The keys of the messages. */
  keys: MsgKey[];
}

/** Confirms that received messages were read. */
export interface ConfirmRequest {
  op: "confirm";
  /** The other party. */
  peer: string;
  /** The keys of the messages. */
  keys: MsgKey[];
}

/** Asks which messages were confirmed. */
export interface ReceiptsRequest {
  op: "receipts";
  /** The other party. */
  peer: string;
  /** The keys of the messages. */
  keys: MsgKey[];
}

/** What `receipts` answers. */
export interface ReceiptsAnswer {
  /** In the order of the request, without those that are not there. */
  receipts: Receipt[];
}

/** Reads the key-value pairs of a message. */
export interface ExtensionsRequest {
  op: "extensions";
  /** The other party. */
  peer: string;
  /** The key of the message. */
  key: MsgKey;
}

/** What `extensions` answers. */
export interface ExtensionsAnswer {
  /** The pairs, in the order of `Seq`. */
  extensions: Extension[];
}

/** Sets, deletes or clears key-value pairs of a message. Exactly one of `set`, `delete`, `clear`. */
export interface ExtendRequest {
  op: "extend";
  /** The other party. */
  peer: string;
  /** The key of the message. */
  key: MsgKey;
  /** Pairs to be set. Left out: nothing is set. */
  set?: ExtensionToSet[];
  /** Pairs to be deleted. Left out: nothing is deleted. */
  delete?: ExtensionToDelete[];
  /** Whether all pairs go. Left out: false. */
  clear?: boolean;
}

/** What `extend` answers. */
export interface ExtendAnswer {
  /** One for each pair of the request, in its order; none for `clear`. */
  results: ExtensionResult[];
}

/** Everything in a conversation has been read. */
export interface ReadRequest {
  op: "read";
  /** The other party. */
  peer: string;
  /** Only messages of this Unix second or older ones. Left out: everything. */
  until?: number;
}

/** Everything in all conversations has been read. */
export interface ReadAllRequest {
  op: "read_all";
}

/** Forgets the history of a conversation, for oneself. It stays in the list. */
export interface ClearRequest {
  op: "clear";
  /** The other party. */
  peer: string;
}

/** Reads a page of the list of conversations, newest first, or those with some peers. With `peers`, the others are not looked at. */
export interface ConversationsRequest {
  op: "conversations";
  /** How many at most, up to `limits.contacts_page_len_max` (100). Left out: 20. */
  limit?: number;
  /** The `next` of the page before. Left out: from the newest on. */
  after?: string;
  /** The conversations with these, as far as they are there. Left out: a page of the list. */
  peers?: string[];
}

/** What `conversations` answers. */
export interface ConversationsAnswer {
  /** The conversations. */
  conversations: Conversation[];
  /** What to give as `after` for the next page; `null` when this is the last one. */
  next: string | null;
  /** Where the user's log ended when they were read. */
  position: Position;
  /** Unread messages in all conversations. */
  unread: number;
}

/** Pins a conversation, or lets it go. */
export interface PinRequest {
  op: "pin";
  /** The other party. */
  peer: string;
  /** Whether it is to be pinned. */
  pinned: boolean;
}

/** Takes a conversation out of the list. */
export interface RemoveRequest {
  op: "remove";
  /** The other party. */
  peer: string;
  /** Whether its history goes too. Left out: false. */
  erase?: boolean;
}

/** Says what messages of some conversations do. */
export interface NotifyRequest {
  op: "notify";
  /** The other parties. */
  peers: string[];
  /** What they do from now on. */
  notify: Notify;
}

/** Puts a mark on some conversations, or takes it away. */
export interface MarkRequest {
  op: "mark";
  /** The other parties. */
  peers: string[];
  /** 1 star, 2 unread, 3 fold, 4 hide; others are the app's own. */
  mark: number;
  /** Whether they are to have it. */
  on: boolean;
}

/** Keeps data of the app's own with some conversations. */
export interface AnnotateRequest {
  op: "annotate";
  /** The other parties. */
  peers: string[];
  /** The data; empty for none. */
  custom: string;
}

/** Reads profiles. */
export interface ProfilesRequest {
  op: "profiles";
  /** Whose. */
  users: string[];
}

/** What `profiles` answers. */
export interface ProfilesAnswer {
  /** The profiles of those who have an account. */
  profiles: Profile[];
}

/** Changes one's own profile. */
export interface SetProfileRequest {
  op: "set_profile";
  /** The values to be changed. */
  profile: Tags;
}

/** Puts users on the blocklist. */
export interface BlockRequest {
  op: "block";
  /** Whom. */
  peers: string[];
}

/** What `block` answers. */
export interface BlockAnswer {
  /** One for each, in the order of the request. */
  results: PeerResult[];
}

/** Takes users off the blocklist. */
export interface UnblockRequest {
  op: "unblock";
  /** Whom. */
  peers: string[];
}

/** What `unblock` answers. */
export interface UnblockAnswer {
  /** One for each, in the order of the request. */
  results: PeerResult[];
}

/** Reads a page of the blocklist. */
export interface BlockedRequest {
  op: "blocked";
  /** How many at most, up to 100. Left out: 100. */
  limit?: number;
  /** The `next` of the page before. Left out: from the beginning. */
  after?: string;
}

/** What `blocked` answers. */
export interface BlockedAnswer {
  /** Whom the user blocks. */
  blocked: Blocked[];
  /** What to give as `after` for the next page; `null` when this is the last one. */
  next: string | null;
}

/** Reads a page of the friend list, or some friends. With `peers`, the others are not looked at. */
export interface FriendsRequest {
  op: "friends";
  /** How many at most, up to 100. Left out: 100. */
  limit?: number;
  /** The `next` of the page before. Left out: from the beginning. */
  after?: string;
  /** Who. Left out: a page of the list. */
  peers?: string[];
}

/** What `friends` answers. */
export interface FriendsAnswer {
  /** The friends, or those of `peers` who are. */
  friends: Friend[];
  /** What to give as `after` for the next page; `null` when this is the last one. */
  next: string | null;
  /** The names of all friend groups of the user. */
  groups: string[];
}

/** Makes a friend, or asks to. */
export interface BefriendRequest {
  op: "befriend";
  /** Who. */
  peer: string;
  /** Whether both get the other on their list. Left out: true. */
  mutual?: boolean;
  /** Where they were found. */
  source: string;
  /** What they are told. Left out: none. */
  wording?: string;
  /** The user's own name for them. Left out: none. */
  remark?: string;
  /** The friend group that they come into. Left out: none. */
  group?: string;
}

/** What `befriend` answers. */
export interface BefriendAnswer {
  /** Whether they have to agree first. */
  pending: boolean;
}

/** Ends friendships. */
export interface UnfriendRequest {
  op: "unfriend";
  /** Who. */
  peers: string[];
  /** Whether the user goes from their lists too. Left out: false. */
  mutual?: boolean;
}

/** What `unfriend` answers. */
export interface UnfriendAnswer {
  /** One for each, in the order of the request. */
  results: PeerResult[];
}

/** Asks who has whom on the friend list. */
export interface CheckFriendsRequest {
  op: "check_friends";
  /** Who. */
  peers: string[];
  /** Whether to look at their lists too. Left out: false. */
  mutual?: boolean;
}

/** What `check_friends` answers. */
export interface CheckFriendsAnswer {
  /** One for each, in the order of the request. */
  results: FriendCheck[];
}

/** Changes what the user notes of a friend. At least one of `remark`, `groups`, `custom`. */
export interface NoteFriendRequest {
  op: "note_friend";
  /** Who. */
  peer: string;
  /** The user's own name for them. Left out: stays. */
  remark?: string;
  /** All the friend groups that they are in. Left out: stay. */
  groups?: string[];
  /** Values of the app's own. Left out: stay. */
  custom?: Tags;
}

/** Reads a page of the friend requests that wait for the user's answer. */
export interface RequestsRequest {
  op: "requests";
  /** How many at most, up to 100. Left out: 100. */
  limit?: number;
  /** The `next` of the page before. Left out: from the beginning. */
  after?: string;
}

/** What `requests` answers. */
export interface RequestsAnswer {
  /** The requests. */
  requests: FriendRequest[];
  /** What to give as `after` for the next page; `null` when this is the last one. */
  next: string | null;
}

/** Agrees to a friend request. */
export interface AcceptRequest {
  op: "accept";
  /** Who. */
  peer: string;
  /** Whether who asked comes on the user's own list too. Left out: true. */
  mutual?: boolean;
  /** The user's own name for them. Left out: none. */
  remark?: string;
}

/** Drops a friend request. */
export interface RefuseRequest {
  op: "refuse";
  /** Who. */
  peer: string;
}

/** Makes friend groups. */
export interface AddGroupsRequest {
  op: "add_groups";
  /** The names of the groups. */
  names: string[];
  /** Friends who come into each of them. Left out: nobody. */
  peers?: string[];
}

/** What `add_groups` answers. */
export interface AddGroupsAnswer {
  /** One for each, in the order of the request. */
  results: PeerResult[];
}

/** Deletes friend groups. The friends stay. */
export interface DeleteGroupsRequest {
  op: "delete_groups";
  /** The names of the groups. */
  names: string[];
}

/** Gives a friend group another name. */
export interface RenameGroupRequest {
  op: "rename_group";
  /** The name of the group. */
  name: string;
  /** Its new name. */
  to: string;
}

/** Puts friends into a friend group. */
export interface JoinGroupRequest {
  op: "join_group";
  /** The name of the group. */
  name: string;
  /** Which friends. */
  peers: string[];
}

/** What `join_group` answers. */
export interface JoinGroupAnswer {
  /** One for each, in the order of the request. */
  results: PeerResult[];
}

/** Takes friends out of a friend group. */
export interface LeaveGroupRequest {
  op: "leave_group";
  /** The name of the group. */
  name: string;
  /** Which friends. */
  peers: string[];
}

/** What `leave_group` answers. */
export interface LeaveGroupAnswer {
  /** One for each, in the order of the request. */
  results: PeerResult[];
}

/** Asks who is online. */
export interface StatusRequest {
  op: "status";
  /** Who. */
  users: string[];
}

/** What `status` answers. */
export interface StatusAnswer {
  /** One for each, in the order of the request. */
  statuses: Status[];
}

/** Shows a text for as long as the user is online. */
export interface SetStatusRequest {
  op: "set_status";
  /** The text. Left out: none. */
  custom?: string;
}

/** Asks who is online, and to be told of changes for as long as this connection lasts. */
export interface SubscribeRequest {
  op: "subscribe";
  /** Whose changes. */
  users: string[];
}

/** What `subscribe` answers. */
export interface SubscribeAnswer {
  /** One for each, in the order of the request. */
  statuses: Status[];
  /** Whose changes are not told any more. Only there if there were too many. */
  dropped?: string[];
}

/** Asks not to be told of changes any more. */
export interface UnsubscribeRequest {
  op: "unsubscribe";
  /** Whose. Left out: everybody's. */
  users?: string[];
}

/** Has the device pushed what it misses while it is not connected. */
export interface SetPushTokenRequest {
  op: "set_push_token";
  /** Who carries the push. */
  provider: PushProvider;
  /** What the installed app is known by to the carrier. */
  token: string;
  /** Which device, by a name that stays the same from login to login. Left out: the `device_id` of `connect`. */
  device?: string;
}

/** Has the device pushed nothing any more. */
export interface DropPushTokenRequest {
  op: "drop_push_token";
  /** Which device, by a name that stays the same from login to login. Left out: the `device_id` of `connect`. */
  device?: string;
}

/** Asks where a file can be uploaded. */
export interface UploadRequest {
  op: "upload";
  /** What it is to be in a message. */
  kind: MediaKind;
  /** Its exact length in bytes. */
  size: number;
  /** What it is called. Left out: none. */
  name?: string;
  /** Its media type. Left out: unknown. */
  type?: string;
}

/** What `upload` answers. */
export interface UploadAnswer {
  /** Where its bytes go with `POST`: a path on the server, or a whole URL. */
  upload_url: string;
  /** Until when they have to begin to come, in Unix seconds. */
  expires: number;
}

/** Every operation, with what it takes and what it answers. */
export interface Operations {
  connect: { request: ConnectRequest; answer: ConnectAnswer };
  ping: { request: PingRequest; answer: PingAnswer };
  send: { request: SendRequest; answer: SendAnswer };
  history: { request: HistoryRequest; answer: HistoryAnswer };
  recall: { request: RecallRequest; answer: Done };
  edit: { request: EditRequest; answer: EditAnswer };
  delete: { request: DeleteRequest; answer: Done };
  confirm: { request: ConfirmRequest; answer: Done };
  receipts: { request: ReceiptsRequest; answer: ReceiptsAnswer };
  extensions: { request: ExtensionsRequest; answer: ExtensionsAnswer };
  extend: { request: ExtendRequest; answer: ExtendAnswer };
  read: { request: ReadRequest; answer: Done };
  read_all: { request: ReadAllRequest; answer: Done };
  clear: { request: ClearRequest; answer: Done };
  conversations: { request: ConversationsRequest; answer: ConversationsAnswer };
  pin: { request: PinRequest; answer: Done };
  remove: { request: RemoveRequest; answer: Done };
  notify: { request: NotifyRequest; answer: Done };
  mark: { request: MarkRequest; answer: Done };
  annotate: { request: AnnotateRequest; answer: Done };
  profiles: { request: ProfilesRequest; answer: ProfilesAnswer };
  set_profile: { request: SetProfileRequest; answer: Done };
  block: { request: BlockRequest; answer: BlockAnswer };
  unblock: { request: UnblockRequest; answer: UnblockAnswer };
  blocked: { request: BlockedRequest; answer: BlockedAnswer };
  friends: { request: FriendsRequest; answer: FriendsAnswer };
  befriend: { request: BefriendRequest; answer: BefriendAnswer };
  unfriend: { request: UnfriendRequest; answer: UnfriendAnswer };
  check_friends: { request: CheckFriendsRequest; answer: CheckFriendsAnswer };
  note_friend: { request: NoteFriendRequest; answer: Done };
  requests: { request: RequestsRequest; answer: RequestsAnswer };
  accept: { request: AcceptRequest; answer: Done };
  refuse: { request: RefuseRequest; answer: Done };
  add_groups: { request: AddGroupsRequest; answer: AddGroupsAnswer };
  delete_groups: { request: DeleteGroupsRequest; answer: Done };
  rename_group: { request: RenameGroupRequest; answer: Done };
  join_group: { request: JoinGroupRequest; answer: JoinGroupAnswer };
  leave_group: { request: LeaveGroupRequest; answer: LeaveGroupAnswer };
  status: { request: StatusRequest; answer: StatusAnswer };
  set_status: { request: SetStatusRequest; answer: Done };
  subscribe: { request: SubscribeRequest; answer: SubscribeAnswer };
  unsubscribe: { request: UnsubscribeRequest; answer: Done };
  set_push_token: { request: SetPushTokenRequest; answer: Done };
  drop_push_token: { request: DropPushTokenRequest; answer: Done };
  upload: { request: UploadRequest; answer: UploadAnswer };
}

export type Op = keyof Operations;
export type RequestOf<O extends Op> = Operations[O]["request"];
export type AnswerOf<O extends Op> = Operations[O]["answer"];

/** Every request, without its `id`: `op` says which. */
export type Request = RequestOf<Op>;

/** A request as it goes over the wire. */
export type RequestFrame<O extends Op = Op> = RequestOf<O> & { id: number };

/** The answer to a request that succeeded. */
export interface AnswerFrame<O extends Op = Op> {
  id: number;
  ok: AnswerOf<O>;
}

/** The answer to a request that was refused. */
export interface RefusalFrame {
  /** `null` when the `id` of the request could not be read. */
  id: number | null;
  error: WireError;
}

/** How many items each list of a request may have. */
export const LIST_MAX = {
  delete: { keys: 50 },
  confirm: { keys: 30 },
  receipts: { keys: 30 },
  extend: { set: 20, delete: 20 },
  conversations: { peers: 100 },
  notify: { peers: 30 },
  mark: { peers: 100 },
  annotate: { peers: 100 },
  profiles: { users: 100 },
  block: { peers: 1000 },
  unblock: { peers: 1000 },
  friends: { peers: 100 },
  unfriend: { peers: 100 },
  check_friends: { peers: 100 },
  note_friend: { groups: 32 },
  add_groups: { names: 32, peers: 1000 },
  delete_groups: { names: 32 },
  join_group: { peers: 1000 },
  leave_group: { peers: 1000 },
  status: { users: 500 },
  subscribe: { users: 100 },
  unsubscribe: { users: 100 },
} as const;

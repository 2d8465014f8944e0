// Who people are: profiles under the names that apps use, and a small memory of them.

import type { Connection } from "./connection.js";
import { badParameter } from "./errors.js";
import { inLists } from "./pages.js";
import type { Profile as WireProfile, Tags } from "./wire.js";

export interface Profile {
  userID: string;
  nick: string;
  avatar: string;
  gender: string;
  birthday: number;
  location: string;
  selfSignature: string;
  allowType: string;
  language: number;
  messageSettings: number;
  adminForbidType: string;
  level: number;
  role: number;
  profileCustomField: CustomField[];
}

export interface CustomField {
  key: string;
  value: string | number;
}

/** What of one's own profile is to be other. */
export type ProfileChange = Partial<Omit<Profile, "userID" | "adminForbidType">>;

const TAGS: Record<string, keyof Omit<Profile, "userID" | "profileCustomField">> = {
  Tag_Profile_IM_Nick: "nick",
  Tag_Profile_IM_Image: "avatar",
  Tag_Profile_IM_Gender: "gender",
  Tag_Profile_IM_BirthDay: "birthday",
  Tag_Profile_IM_Location: "location",
  Tag_Profile_IM_SelfSignature: "selfSignature",
  Tag_Profile_IM_AllowType: "allowType",
  Tag_Profile_IM_Language: "language",
  Tag_Profile_IM_MsgSettings: "messageSettings",
  Tag_Profile_IM_AdminForbidType: "adminForbidType",
  Tag_Profile_IM_Level: "level",
  Tag_Profile_IM_Role: "role",
};
const CUSTOM = "Tag_Profile_Custom_";
const LIST_LEN_MAX = 100;
/** Beyond this, whoever was not looked at for longest is asked for again. */
const KNOWN_LEN_MAX = 5_000;

export function emptyProfile(userID: string): Profile {
  return {
    userID,
    nick: "",
    avatar: "",
    gender: "",
    birthday: 0,
    location: "",
    selfSignature: "",
    allowType: "",
    language: 0,
    messageSettings: 0,
    adminForbidType: "",
    level: 0,
    role: 0,
    profileCustomField: [],
  };
}

export function readProfile(userID: string, tags: Tags): Profile {
  const profile = emptyProfile(userID);
  for (const [tag, value] of Object.entries(tags)) {
    const name = TAGS[tag];
    if (name) Object.assign(profile, { [name]: value });
    else if (tag.startsWith(CUSTOM)) profile.profileCustomField.push({ key: tag, value });
  }
  return profile;
}

export function writeProfile(change: ProfileChange): Tags {
  const tags: Tags = {};
  for (const [tag, name] of Object.entries(TAGS)) {
    const value = (change as Record<string, string | number | undefined>)[name];
    if (value !== undefined) tags[tag] = value;
  }
  for (const { key, value } of change.profileCustomField ?? []) tags[key] = value;
  if (Object.keys(tags).length === 0) throw badParameter("there is nothing to change");
  return tags;
}

export class Profiles {
  readonly #known = new Map<string, Profile>();

  constructor(private readonly connection: () => Connection) {}

  /** What is known without asking. */
  get(userID: string): Profile | undefined {
    const profile = this.#known.get(userID);
    if (profile) this.#keep(profile);
    return profile;
  }

  person(userID: string): { nick: string; avatar: string } {
    const { nick = "", avatar = "" } = this.#known.get(userID) ?? {};
    return { nick, avatar };
  }

  /** Asks for these people; whoever has no account is left out. */
  async fetch(userIDs: string[]): Promise<Profile[]> {
    const found: Profile[] = [];
    for (const users of inLists([...new Set(userIDs)], LIST_LEN_MAX)) {
      const { profiles } = await this.connection().request<"profiles">({ op: "profiles", users });
      found.push(...profiles.map((it) => this.take(it)));
    }
    return found;
  }

  /** The same, but only those that are not known. */
  async know(userIDs: string[]): Promise<void> {
    await this.fetch(userIDs.filter((userID) => !this.#known.has(userID)));
  }

  take({ user_id, profile }: WireProfile): Profile {
    const read = readProfile(user_id, profile);
    this.#keep(read);
    return read;
  }

  clear(): void {
    this.#known.clear();
  }

  #keep(profile: Profile): void {
    this.#known.delete(profile.userID);
    this.#known.set(profile.userID, profile);
    const oldest = this.#known.keys().next().value;
    if (this.#known.size > KNOWN_LEN_MAX && oldest !== undefined) this.#known.delete(oldest);
  }
}

// How a message is to be sent: the options of an app, in the words of the wire.

import { badParameter } from "./errors.js";
import type { SendMembers } from "./session.js";
import type { OfflinePushInfo as WirePush } from "./wire.js";

export interface SendOptions {
  /** Only for those who are online now; it is kept nowhere. */
  onlineUserOnly?: boolean;
  offlinePushInfo?: OfflinePushInfo;
  messageControlInfo?: {
    excludedFromUnreadCount?: boolean;
    excludedFromLastMessage?: boolean;
    /** A device cannot switch off the word lists: this is ignored. */
    excludedFromContentModeration?: boolean;
  };
}

export interface OfflinePushInfo {
  disablePush?: boolean;
  title?: string;
  description?: string;
  extension?: string;
  androidInfo?: Record<string, unknown>;
  apnsInfo?: { sound?: string; ignoreIOSBadge?: boolean; image?: string; [other: string]: unknown };
}

export function sendMembers(options: SendOptions): SendMembers {
  const { onlineUserOnly, offlinePushInfo, messageControlInfo: control } = options;
  if (onlineUserOnly && control) throw badParameter("onlineUserOnly and messageControlInfo exclude each other");
  return {
    ...(onlineUserOnly && { online_only: true }),
    ...(control?.excludedFromUnreadCount && { no_unread: true }),
    ...(control?.excludedFromLastMessage && { no_last_msg: true }),
    ...(offlinePushInfo && { offline_push: pushInfo(offlinePushInfo) }),
  };
}

function pushInfo(info: OfflinePushInfo): WirePush {
  const { disablePush, title, description, extension, androidInfo, apnsInfo } = info;
  return {
    PushFlag: disablePush ? 1 : 0,
    ...(title !== undefined && { Title: title }),
    ...(description !== undefined && { Desc: description }),
    ...(extension !== undefined && { Ext: extension }),
    ...(androidInfo && { AndroidInfo: android(androidInfo) }),
    ...(apnsInfo && { ApnsInfo: apns(apnsInfo) }),
  };
}

function android({ sound, FCMChannelID, ...rest }: Record<string, unknown>): Record<string, unknown> {
  return {
    ...rest,
    ...(sound !== undefined && { Sound: sound }),
    ...(FCMChannelID !== undefined && { GoogleChannelID: FCMChannelID }),
  };
}

function apns({ sound, ignoreIOSBadge, image }: NonNullable<OfflinePushInfo["apnsInfo"]>): Record<string, unknown> {
  return {
    BadgeMode: ignoreIOSBadge ? 1 : 0,
    ...(sound !== undefined && { Sound: sound }),
    ...(image !== undefined && { Image: image }),
  };
}

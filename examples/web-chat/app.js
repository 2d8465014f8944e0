// A small chat, written as one writes for the widely used chat SDK. What is Couplet's own are the next two lines and
// `server` in `create`.
import TencentCloudChat from "../../sdk/typescript/dist/couplet.js";
const server = (form) => ({ server: form.get("server") });

const { EVENT, TYPES } = TencentCloudChat;
const find = (selector) => document.querySelector(selector);
const MEDIA_TEXT = "[not shown here]";

let chat;
let conversation = null;
let nextReqMessageID = "";

/* -------------------------------------------------------------------------------------------------------- session */

find("#login").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = new FormData(event.target);
  const shown = find("#login .error");
  shown.textContent = "";
  try {
    chat = TencentCloudChat.create({ SDKAppID: Number(form.get("sdkappid")), ...server(form) });
    listen();
    await chat.login({ userID: form.get("user").trim(), userSig: form.get("usersig").trim() });
  } catch (error) {
    shown.textContent = `${error.message} (${error.code})`;
  }
});

find("#logout").addEventListener("click", async () => {
  await chat.logout();
  leave("");
});

function listen() {
  chat.on(EVENT.SDK_READY, ready);
  chat.on(EVENT.NET_STATE_CHANGE, ({ data }) => (find("#net").textContent = data.state));
  chat.on(EVENT.KICKED_OUT, ({ data }) => leave(`Logged out: ${data.type}`));
  chat.on(EVENT.CONVERSATION_LIST_UPDATED, ({ data }) => showConversations(data));
  chat.on(EVENT.TOTAL_UNREAD_MESSAGE_COUNT_UPDATED, ({ data }) => showTotal(data));
  chat.on(EVENT.MESSAGE_RECEIVED, ({ data }) => data.forEach(receive));
  chat.on(EVENT.MESSAGE_REVOKED, ({ data }) => data.forEach(refresh));
  chat.on(EVENT.MESSAGE_MODIFIED, ({ data }) => data.forEach(refresh));
  chat.on(EVENT.MESSAGE_READ_BY_PEER, ({ data }) => data.forEach(refresh));
  chat.on(EVENT.USER_STATUS_UPDATED, ({ data }) => data.forEach(showStatus));
}

async function ready() {
  find("#login").hidden = true;
  find("main").hidden = false;
  find("#me").textContent = chat.getLoginUser();
  showTotal(chat.getTotalUnreadMessageCount());
  const { data } = await chat.getConversationList();
  showConversations(data.conversationList);
}

function leave(text) {
  find("main").hidden = true;
  find("#login").hidden = false;
  find("#login .error").textContent = text;
  find("#messages").replaceChildren();
  conversation = null;
}

/* -------------------------------------------------------------------------------------------------- conversations */

function showTotal(count) {
  find("#total").textContent = count > 0 ? `${count} unread` : "";
}

function showConversations(list) {
  const items = list.map((it) => {
    const item = document.createElement("li");
    item.dataset.id = it.conversationID;
    item.tabIndex = 0;
    item.setAttribute("aria-selected", String(it.conversationID === conversation));
    const name = it.remark || it.userProfile.nick || it.userProfile.userID;
    const last = it.lastMessage?.isRevoked ? "taken back" : (it.lastMessage?.messageForShow ?? "");
    const count = document.createElement("span");
    count.className = "count";
    count.textContent = it.unreadCount > 0 ? it.unreadCount : "";
    item.append(count, `${it.isPinned ? "★ " : ""}${name}`, document.createElement("br"), last);
    item.addEventListener("click", () => open(it.conversationID));
    item.addEventListener("keydown", ({ key }) => key === "Enter" && open(it.conversationID));
    return item;
  });
  find("#conversations").replaceChildren(...items);
}

find("#new").addEventListener("submit", (event) => {
  event.preventDefault();
  open(`${TYPES.CONV_C2C}${event.target.to.value.trim()}`);
  event.target.reset();
});

async function open(conversationID) {
  conversation = conversationID;
  const userID = conversationID.slice(TYPES.CONV_C2C.length);
  find("#peer").textContent = userID;
  find("#status").textContent = "";
  find("#messages").replaceChildren();
  nextReqMessageID = "";
  await older();
  await chat.setMessageRead({ conversationID });
  await chat.subscribeUserStatus({ userIDList: [userID] });
}

function showStatus({ userID, statusType, customStatus }) {
  if (conversation !== `${TYPES.CONV_C2C}${userID}`) return;
  const word = statusType === TYPES.USER_STATUS_ONLINE ? "online" : "offline";
  find("#status").textContent = customStatus ? `${word}: ${customStatus}` : word;
}

/* ------------------------------------------------------------------------------------------------------- messages */

find("#older").addEventListener("click", older);

async function older() {
  const { data } = await chat.getMessageList({ conversationID: conversation, nextReqMessageID });
  nextReqMessageID = data.nextReqMessageID;
  find("#older").hidden = data.isCompleted;
  find("#messages").prepend(...data.messageList.map(row));
}

function receive(message) {
  if (message.conversationID !== conversation) return;
  find("#messages").append(row(message));
  find("#messages").lastChild.scrollIntoView();
  if (message.flow === "in") chat.setMessageRead({ conversationID: conversation });
}

function refresh(message) {
  const old = find(`#messages li[data-id="${CSS.escape(message.ID)}"]`);
  old?.replaceWith(row(message));
}

function row(message) {
  const item = document.createElement("li");
  item.dataset.id = message.ID;
  item.dataset.status = message.status;
  item.className = message.flow;
  item.append(contentOf(message), noteOf(message));
  if (message.flow === "out" && message.status === "success" && !message.isRevoked) {
    item.append(button("Take back", () => chat.revokeMessage(message).then(() => refresh(message))));
  }
  if (message.status === "fail") item.append(button("Again", () => deliver(message, chat.resendMessage(message))));
  return item;
}

function contentOf({ isRevoked, type, payload }) {
  if (isRevoked) return "This message was taken back.";
  if (type === TYPES.MSG_TEXT) return payload.text;
  if (type !== TYPES.MSG_IMAGE) return MEDIA_TEXT;
  const image = document.createElement("img");
  image.src = (payload.imageInfoArray[1] ?? payload.imageInfoArray[0]).url;
  image.alt = "Picture";
  return image;
}

function noteOf(message) {
  const note = document.createElement("small");
  const time = new Date(message.time * 1000).toLocaleTimeString([], { timeStyle: "short" });
  const states = { unSend: "…", fail: "not sent", success: message.flow === "out" && message.isPeerRead ? "read" : "" };
  note.textContent = `${time} ${states[message.status]}`;
  return note;
}

function button(label, action) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = label;
  made.addEventListener("click", () => action().catch(complain));
  return made;
}

find("#send").addEventListener("submit", (event) => {
  event.preventDefault();
  const { text, picture } = event.target;
  if (!conversation) return;
  const to = { to: conversation.slice(TYPES.CONV_C2C.length), conversationType: TYPES.CONV_C2C };
  if (text.value) post(chat.createTextMessage({ ...to, payload: { text: text.value } }));
  if (picture.files.length > 0) post(chat.createImageMessage({ ...to, payload: { file: picture } }));
  event.target.reset();
});

function post(message) {
  find("#messages").append(row(message));
  find("#messages").lastChild.scrollIntoView();
  deliver(message, chat.sendMessage(message));
}

async function deliver(message, sending) {
  await sending.catch(complain);
  refresh(message);
}

function complain(error) {
  find("section .error").textContent = `${error.message} (${error.code})`;
}

"""tencentcloud-sdk-python-im: accounts, online status, messages and friends.

The package takes another host as an argument, so nothing at all is replaced.
"""

import re
import time

from tencentcloud_im.tcim_client import (
    BatchMessageObj,
    FriendObj,
    MessageFile,
    MessageObj,
    MessageText,
    SnsItemObj,
    TCIMClient,
    UpdateFriendObj,
)

from answers import ABSENT, INTEGER, Calls, by_tag, fail, item, item_failed, ok

SDK = "tencentcloud-sdk-python-im"
ADA, BOB, CY, DAN, NOBODY = "tc_ada", "tc_bob", "tc_cy", "tc_dan", "tc_nobody"
# The last second that fits where clients keep times in 32 bits.
ALWAYS = (0, 2**31 - 1)


class Client:
    """The SDK's client, whose answers are JSON in HTTP answers with status 200."""

    def __init__(self, server, admin=None, key=None, sdkappid=None):
        self.calls = Calls(SDK)
        url = f"https://{server.host}:{server.port}/v4"
        self.sdk = TCIMClient(
            sdkappid or server.sdkappid, key or server.key, admin or server.admin, tencent_url=url
        )

    def __call__(self, what, response, expected):
        # The SDK swallows what went wrong underneath, and returns nothing.
        answer = None if response is None else {"HTTP": response.status_code, **response.json()}
        return self.calls.check(what, answer, {"HTTP": 200, **expected})


def run(server):
    client = Client(server)
    accounts(client)
    online(client)
    sending(client)
    many_recipients(client)
    importing(client)
    unread(client)
    history_and_recall(client)
    files(client)
    friends(client)
    friend_groups(client)
    unfriending(client)
    leaving(client)
    return client.calls.count + credentials(server)


def accounts(client):
    sdk = client.sdk
    face = "https://example.com/ada.png"
    client("account_import", sdk.add_single_user(ADA, "Ada", face), ok())
    client("account_import, again", sdk.add_single_user(ADA, "Ada", face), ok())
    client("account_import, no UserID", sdk.add_single_user("", "", ""), fail(70402))
    client("account_import, UserID too long", sdk.add_single_user("u" * 33, "", ""), fail(70402))
    client("account_import, nick too long", sdk.add_single_user(ADA, "n" * 501, ""), fail(40601))

    client("multiaccount_import", sdk.batch_add_users([BOB, CY, DAN]), ok(FailAccounts=[]))
    client("multiaccount_import, nobody", sdk.batch_add_users([]), fail(70402))
    too_many = [f"tc_{number}" for number in range(101)]
    client("multiaccount_import, too many", sdk.batch_add_users(too_many), fail(70402))

    def checked(user, status):
        return {"UserID": user, "ResultCode": 0, "ResultInfo": "", "AccountStatus": status}

    expected = [checked(ADA, "Imported"), checked(DAN, "Imported"), checked(NOBODY, "NotImported")]
    client("account_check", sdk.search_user([ADA, DAN, NOBODY]), ok(ResultItem=expected))
    client("account_check, nobody", sdk.search_user([]), fail(70402))

    gone = "Err_TLS_PT_Open_Login_Account_Not_Exist"
    expected = [
        {"ResultCode": 0, "ResultInfo": "", "UserID": DAN},
        {"ResultCode": 70107, "ResultInfo": gone, "UserID": NOBODY},
    ]
    client("account_delete", sdk.del_user([DAN, NOBODY]), ok(ResultItem=expected))
    client("account_check, deleted", sdk.search_user([DAN]), ok(ResultItem=[checked(DAN, "NotImported")]))

    client("kick", sdk.abolition_user_sig(BOB), ok())
    client("kick, unknown", sdk.abolition_user_sig(NOBODY), fail(70107))


def online(client):
    sdk = client.sdk
    expected = ok(
        QueryResult=[{"To_Account": ADA, "Status": "Offline", "Detail": ABSENT}],
        ErrorList=[{"To_Account": NOBODY, "ErrorCode": 70107}],
    )
    client("query_online_status", sdk.check_user_online([ADA, NOBODY]), expected)
    client("query_online_status, unknown", sdk.check_user_online([NOBODY]), fail(70107))
    client("query_online_status, nobody", sdk.check_user_online([]), fail(90001))


def sending(client):
    sdk = client.sdk
    lunch = MessageObj(ADA, BOB, [MessageText("lunch?")], extra_data='{"order":7}')
    expected = ok(MsgTime=INTEGER, MsgKey=re.compile(rf"1_{lunch.MsgRandom}_[0-9]+"))
    answer = client("sendmsg", sdk.send_message(lunch), expected)
    client.lunch, client.lunch_random = answer["MsgKey"], lunch.MsgRandom
    assert answer["MsgKey"] == f"1_{lunch.MsgRandom}_{answer['MsgTime']}", answer

    # The same call again is a resend, and answered as the first one was.
    same = ok(MsgTime=answer["MsgTime"], MsgKey=answer["MsgKey"])
    client("sendmsg, again", sdk.send_message(lunch), same)

    two = MessageObj(BOB, ADA, [MessageText("yes"), MessageText("at noon")], sync_machine=2)
    key = re.compile(rf"2_{two.MsgRandom}_[0-9]+")
    client("sendmsg, two elements", sdk.send_message(two), ok(MsgTime=INTEGER, MsgKey=key))

    client("sendmsg, no elements", sdk.send_message(MessageObj(ADA, BOB)), fail(90002))
    text = [MessageText("anybody there?")]
    client("sendmsg, unknown recipient", sdk.send_message(MessageObj(ADA, NOBODY, text)), fail(20003))
    client("sendmsg, unknown sender", sdk.send_message(MessageObj(NOBODY, BOB, text)), fail(20003))
    client("sendmsg, no recipient", sdk.send_message(MessageObj(ADA, "", text)), fail(90003))
    long = [MessageText("x" * 12_289)]
    client("sendmsg, too long", sdk.send_message(MessageObj(ADA, BOB, long)), fail(80002))


def many_recipients(client):
    sdk = client.sdk
    some = BatchMessageObj(ADA, [BOB, NOBODY], [MessageText("to some")])
    expected = {
        "ActionStatus": "SomeError",
        "ErrorCode": 0,
        "MsgKey": re.compile(rf"[0-9]+_{some.MsgRandom}_[0-9]+"),
        "ErrorList": [{"To_Account": NOBODY, "ErrorCode": 70107}],
    }
    answer = client("batchsendmsg, not to all", sdk.batch_send_message(some), expected)
    client.to_some, client.to_some_random = answer["MsgKey"], some.MsgRandom

    everybody = BatchMessageObj(ADA, [BOB, CY], [MessageText("to all")])
    key = re.compile(rf"[0-9]+_{everybody.MsgRandom}_[0-9]+")
    answer = client("batchsendmsg", sdk.batch_send_message(everybody), ok(MsgKey=key, ErrorList=[]))
    client.to_all = answer["MsgKey"]

    text = [MessageText("to nobody")]
    client("batchsendmsg, to nobody known", sdk.batch_send_message(BatchMessageObj(ADA, [NOBODY], text)), fail(90012))
    client("batchsendmsg, to nobody", sdk.batch_send_message(BatchMessageObj(ADA, [], text)), fail(90029))
    one = BatchMessageObj(ADA, BOB, text)
    client("batchsendmsg, not a list", sdk.batch_send_message(one), fail(90028))


def importing(client):
    sdk = client.sdk
    hour_ago = int(time.time()) - 3600
    old = MessageObj(CY, BOB, [MessageText("old news")])
    # 1 is what the SDK sends unless told otherwise, and was the name of what is 5 now: counted as unread.
    client("importmsg", sdk.import_message_to_im(old, hour_ago), ok())
    older = MessageObj(CY, BOB, [MessageText("older news")])
    client("importmsg, not unread", sdk.import_message_to_im(older, hour_ago - 1, sync_from_old=2), ok())
    wrong = MessageObj(CY, BOB, [MessageText("news")])
    client("importmsg, unknown way", sdk.import_message_to_im(wrong, hour_ago, sync_from_old=3), fail(90030))
    lost = MessageObj(CY, NOBODY, [MessageText("news")])
    client("importmsg, unknown recipient", sdk.import_message_to_im(lost, hour_ago), fail(90048))

    def listed(message, at_s):
        text = message.MsgBody[0]["MsgContent"]["Text"]
        return message_of(CY, BOB, message.MsgRandom, text, MsgTimeStamp=at_s)

    expected = ok(Complete=1, MsgCnt=2, MsgList=[listed(older, hour_ago - 1), listed(old, hour_ago)])
    client("admin_getroammsg, imported", sdk.get_message_list(BOB, CY, 10, *ALWAYS), expected)


def message_of(sender, recipient, random, text, **members):
    body = [{"MsgType": "TIMTextElem", "MsgContent": {"Text": text}}]
    return {
        "From_Account": sender,
        "To_Account": recipient,
        "MsgRandom": random,
        "MsgTimeStamp": INTEGER,
        "MsgFlagBits": 0,
        "IsPeerRead": 0,
        "MsgBody": body,
        **members,
    }


def unread(client):
    sdk = client.sdk
    # Three of Ada's and the one of Cy's that counts.
    expected = ok(
        C2CUnreadMsgNumList=[
            {"Peer_Account": ADA, "C2CUnreadMsgNum": 3},
            {"Peer_Account": CY, "C2CUnreadMsgNum": 1},
        ],
        ErrorList=[{"Peer_Account": NOBODY, "ErrorCode": 70107}],
    )
    client("get_c2c_unread_msg_num, by peer", sdk.get_unread_num(BOB, [ADA, CY, NOBODY]), expected)
    client("get_c2c_unread_msg_num", sdk.get_unread_num(BOB), ok(AllC2CUnreadMsgNum=4))
    client("admin_set_msg_read", sdk.set_user_message_read(BOB, ADA), ok())
    client("get_c2c_unread_msg_num, after reading", sdk.get_unread_num(BOB), ok(AllC2CUnreadMsgNum=1))
    # Up to a time before everything: nothing changes.
    client("admin_set_msg_read, up to a time", sdk.set_user_message_read(BOB, CY, 1), ok())
    client("get_c2c_unread_msg_num, unchanged", sdk.get_unread_num(BOB), ok(AllC2CUnreadMsgNum=1))
    client("admin_set_msg_read, no reader", sdk.set_user_message_read("", ADA), fail(90008))
    client("get_c2c_unread_msg_num, no user", sdk.get_unread_num(""), fail(90003))


def history_and_recall(client):
    sdk = client.sdk
    lunch = message_of(
        ADA, BOB, client.lunch_random, "lunch?", MsgKey=client.lunch, MsgSeq=1, CloudCustomData='{"order":7}'
    )
    to_some = message_of(ADA, BOB, client.to_some_random, "to some", MsgKey=client.to_some)
    answer = client("admin_getroammsg", sdk.get_message_list(BOB, ADA, 10, *ALWAYS), ok(Complete=1))
    # "yes, at noon" went without a copy for its sender, whose history this is.
    keys = [message["MsgKey"] for message in answer["MsgList"]]
    assert keys == [client.lunch, client.to_some, client.to_all], keys
    expected = ok(Complete=0, MsgCnt=2, LastMsgKey=client.to_some, MsgList=[to_some, {"MsgKey": client.to_all}])
    page = client("admin_getroammsg, first page", sdk.get_message_list(BOB, ADA, 2, *ALWAYS), expected)
    rest = sdk.get_message_list(BOB, ADA, 2, 0, page["LastMsgTime"], page["LastMsgKey"])
    client("admin_getroammsg, next page", rest, ok(Complete=1, MsgCnt=1, LastMsgKey=client.lunch, MsgList=[lunch]))
    expected = ok(Complete=1, MsgCnt=0, MsgList=[])
    client("admin_getroammsg, empty window", sdk.get_message_list(BOB, ADA, 2, 1, 2), expected)
    client("admin_getroammsg, no operator", sdk.get_message_list("", ADA, 2, *ALWAYS), fail(90008))

    client("admin_msgwithdraw", sdk.draw_message(ADA, BOB, client.lunch), ok())
    client("admin_msgwithdraw, again", sdk.draw_message(ADA, BOB, client.lunch), fail(20023))
    client("admin_msgwithdraw, unknown", sdk.draw_message(ADA, BOB, "9_9_9"), fail(20022))
    client("admin_msgwithdraw, no key", sdk.draw_message(ADA, BOB, "lunch"), fail(90054))
    # The key of a message to many is the same for all of them; each is recalled alone.
    client("admin_msgwithdraw, of many", sdk.draw_message(ADA, CY, client.to_all), ok())
    flags = [{"MsgFlagBits": 8}, {"MsgFlagBits": 0}, {"MsgFlagBits": 0}]
    client("admin_getroammsg, recalled", sdk.get_message_list(BOB, ADA, 10, *ALWAYS), ok(MsgCnt=3, MsgList=flags))
    flags = [{"MsgFlagBits": 8}]
    client("admin_getroammsg, recalled of many", sdk.get_message_list(CY, ADA, 10, *ALWAYS), ok(MsgList=flags))


def files(client):
    sdk = client.sdk
    # The package has no way to give a file the UUID that the documentation wants of one.
    file = [MessageFile("https://example.com/menu.pdf", 1024, "menu.pdf")]
    menu = MessageObj(BOB, CY, attachment_messages=file)
    key = re.compile(rf"[0-9]+_{menu.MsgRandom}_[0-9]+")
    client("sendmsg, a file without UUID", sdk.send_message(menu), ok(MsgTime=INTEGER, MsgKey=key))


def friends(client):
    sdk = client.sdk
    # The SDK sends empty strings for a remark and a group that were not given.
    asked = [FriendObj(BOB, "web", remark="Bobby", group_name="work"), FriendObj(CY, "web"), FriendObj(NOBODY, "web")]
    items = [item(BOB), item(CY), item_failed(NOBODY, 30003)]
    expected = ok(ResultItem=items, Fail_Account=[NOBODY], ErrorDisplay="")
    client("friend_add", sdk.add_friend(ADA, asked), expected)
    unknown = sdk.add_friend(NOBODY, [FriendObj(BOB, "web")])
    client("friend_add, unknown owner", unknown, fail(30003, ErrorDisplay=""))

    robert = [UpdateFriendObj(BOB, [SnsItemObj("Tag_SNS_IM_Remark", "Robert")])]
    expected = ok(ResultItem=[item(BOB)], Fail_Account=ABSENT, ErrorDisplay="")
    client("friend_update", sdk.update_friend(ADA, robert), expected)

    answer = client("friend_get", sdk.get_friends(ADA), ok(FriendNum=2, CompleteFlag=1, NextStartIndex=0))
    kept = {entry["To_Account"]: by_tag(entry["ValueItem"]) for entry in answer["UserDataItem"]}
    bob = {"Tag_SNS_IM_AddSource": "AddSource_Type_web", "Tag_SNS_IM_Remark": "Robert"}
    bob |= {"Tag_SNS_IM_Group": ["work"], "Tag_SNS_IM_AddTime": INTEGER}
    cy = {"Tag_SNS_IM_AddSource": "AddSource_Type_web", "Tag_SNS_IM_AddTime": INTEGER}
    client.calls.check("friend_get, its tags", kept, {BOB: bob, CY: cy})
    # Both have the other now.
    client("friend_get, the other side", sdk.get_friends(BOB), ok(FriendNum=1, UserDataItem=[{"To_Account": ADA}]))

    tags = ["Tag_SNS_IM_Remark", "Tag_SNS_IM_Group"]
    answer = client("friend_get_list", sdk.get_target_friends(ADA, [BOB], tags), ok(InfoItem=[item(BOB)]))
    picked = by_tag(answer["InfoItem"][0]["SnsProfileItem"])
    expected = {"Tag_SNS_IM_Remark": "Robert", "Tag_SNS_IM_Group": ["work"]}
    client.calls.check("friend_get_list, its tags", picked, expected)
    nick = [{"Tag": "Tag_Profile_IM_Nick", "Value": "Ada"}]
    stranger = item(CY, 30001, "Err_SNS_FriendGetList_Friend_Not_Exist", SnsProfileItem=ABSENT)
    items = [item(ADA, SnsProfileItem=nick), stranger, item_failed(NOBODY, 30003)]
    answer = sdk.get_target_friends(BOB, [ADA, CY, NOBODY], ["Tag_Profile_IM_Nick"])
    expected = ok(InfoItem=items, Fail_Account=[CY, NOBODY], ErrorDisplay="")
    client("friend_get_list, strangers", answer, expected)


def friend_groups(client):
    sdk = client.sdk
    expected = ok(ResultItem=[item(BOB)], Fail_Account=ABSENT, CurrentSequence=INTEGER, ErrorDisplay="")
    client("group_add", sdk.add_sns_group(ADA, ["home"], [BOB]), expected)
    expected = ok(
        ResultItem=[
            {"GroupName": "work", "FriendNumber": 1, "To_Account": [BOB]},
            {"GroupName": "home", "FriendNumber": 1, "To_Account": [BOB]},
        ],
        CurrentSequence=INTEGER,
        ErrorDisplay="",
    )
    client("group_get", sdk.get_sns_group(ADA), expected)
    expected = ok(ResultItem=[{"GroupName": "home", "FriendNumber": 1}])
    answer = sdk.get_sns_group(ADA, ["home"], need_friend_flag="Need_Friend_Type_No")
    client("group_get, one without its friends", answer, expected)
    client("group_delete", sdk.delete_sns_group(ADA, ["work"]), ok(CurrentSequence=INTEGER, ErrorDisplay=""))
    client("group_get, after deleting", sdk.get_sns_group(ADA), ok(ResultItem=[{"GroupName": "home"}]))
    client("group_add, unknown owner", sdk.add_sns_group(NOBODY, ["home"], []), fail(30003, ErrorDisplay=""))


def unfriending(client):
    sdk = client.sdk
    items = [item(BOB), item_failed(NOBODY, 31704)]
    expected = ok(ResultItem=items, Fail_Account=[NOBODY], ErrorDisplay="")
    client("friend_delete", sdk.delete_friends(ADA, [BOB, NOBODY]), expected)
    one_way = sdk.delete_friends(ADA, [CY], delete_type="Delete_Type_Single")
    client("friend_delete, one way", one_way, ok(ResultItem=[item(CY)]))
    nobody_left = ok(FriendNum=0, UserDataItem=[], CompleteFlag=1)
    client("friend_get, after deleting", sdk.get_friends(ADA), nobody_left)
    client("friend_get, after deleting both ways", sdk.get_friends(BOB), nobody_left)
    expected = ok(FriendNum=1, UserDataItem=[{"To_Account": ADA}])
    client("friend_get, after deleting one way", sdk.get_friends(CY), expected)
    client("friend_get, unknown owner", sdk.get_friends(NOBODY), fail(30003, ErrorDisplay=""))


def leaving(client):
    users = [ADA, BOB, CY]
    items = [{"ResultCode": 0, "ResultInfo": "", "UserID": user} for user in users]
    client("account_delete, all", client.sdk.del_user(users), ok(ResultItem=items))


def credentials(server):
    """The same call with credentials that are wrong in one way each."""
    client = Client(server)
    refusals = [
        ("another key", {"key": server.key + "x"}, 70009),
        ("another app", {"sdkappid": server.sdkappid + 1}, 70020),
        ("not an admin", {"admin": ADA}, 60010),
    ]
    for what, wrong, code in refusals:
        refused = Client(server, **wrong).sdk.search_user([ADA])
        client(f"account_check, {what}", refused, fail(code))
    return client.calls.count

"""timsdk: accounts, messages, profiles, friends, blocklists and mutes.

The package has its host written into it. What is replaced is where its HTTP client connects to.
"""

import re

from requests.adapters import HTTPAdapter
from timsdk import TimClient

from answers import ABSENT, INTEGER, Calls, by_account, by_tag, fail, item, item_failed, ok

SDK = "timsdk"
ANA, BO, CAT, NOBODY = "ts_ana", "ts_bo", "ts_cat", "ts_nobody"
HOST = "https://console.tim.qq.com/"


class Elsewhere(HTTPAdapter):
    """Takes what is meant for one host to another, whose certificate is checked instead."""

    def __init__(self, server):
        super().__init__()
        self.url = f"https://{server.host}:{server.port}/"

    def send(self, request, **options):
        request.url = request.url.replace(HOST, self.url, 1)
        return super().send(request, **options)


def connected(server, **other):
    """The SDK's client."""
    wanted = {"app_id": server.sdkappid, "app_key": server.key, "identifier": server.admin, **other}
    client = TimClient(**wanted)
    # All parts of the client share one connection pool.
    client.sns.get_client()._http.mount(HOST, Elsewhere(server))
    return client


def run(server):
    calls = Calls(SDK)
    client = connected(server)
    accounts(calls, client.im_open_login_svc)
    messages(calls, client.open_im)
    profiles(calls, client.profile)
    wrong_profiles(calls, client.profile)
    friends(calls, client.sns)
    friend_lists(calls, client.sns)
    blocklist(calls, client.sns)
    mutes(calls, client.open_config_svr)
    leaving(calls, client.im_open_login_svc)
    credentials(calls, server)
    return calls.count


def accounts(calls, sdk):
    calls.check("account_import", sdk.account_import(ANA, "Ana", "https://example.com/ana.png"), ok())
    calls.check("account_import, a name alone", sdk.account_import(BO), ok())
    calls.check("account_import, UserID too long", sdk.account_import("u" * 33), fail(70402))
    # The package's name for it.
    calls.check("multiaccount_import", sdk.im_open_login_svc([BO, CAT]), ok(FailAccounts=[]))
    calls.check("multiaccount_import, nobody", sdk.im_open_login_svc([]), fail(70402))

    def checked(user, status):
        return {"UserID": user, "ResultCode": 0, "ResultInfo": "", "AccountStatus": status}

    # Sent as a GET with a body.
    expected = ok(ResultItem=[checked(CAT, "Imported"), checked(NOBODY, "NotImported")])
    calls.check("account_check", sdk.account_check([CAT, NOBODY]), expected)
    calls.check("kick", sdk.kick(BO), ok())
    calls.check("kick, unknown", sdk.kick(NOBODY), fail(70107))


def messages(calls, sdk):
    key = re.compile("1_[0-9]+_[0-9]+")
    sent = calls.check("sendmsg", sdk.send_text_msg(BO, "grüß dich 👋", ANA), ok(MsgTime=INTEGER, MsgKey=key))
    calls.check("sendmsg, as the admin", sdk.send_text_msg(BO, "welcome"), ok(MsgTime=INTEGER, MsgKey=key))
    here_only = sdk.send_text_msg(BO, "quietly", ANA, sdk.SYNC_OTHER_MACHINE_NO, msg_life_time=60)
    calls.check("sendmsg, no copy", here_only, ok(MsgKey=re.compile("2_[0-9]+_[0-9]+")))
    calls.check("sendmsg, unknown recipient", sdk.send_text_msg(NOBODY, "hello", ANA), fail(20003))
    calls.check("sendmsg, too long", sdk.send_text_msg(BO, "x" * 12_289, ANA), fail(80002))

    key = re.compile("[0-9]+_[0-9]+_[0-9]+")
    calls.check("batchsendmsg", sdk.batch_send_text_msg([BO, CAT], "to all", ANA), ok(MsgKey=key, ErrorList=[]))
    expected = {"ActionStatus": "SomeError", "ErrorCode": 0, "MsgKey": key}
    expected["ErrorList"] = [{"To_Account": NOBODY, "ErrorCode": 70107}]
    calls.check("batchsendmsg, not to all", sdk.batch_send_text_msg([NOBODY, CAT], "to some"), expected)
    calls.check("batchsendmsg, to nobody known", sdk.batch_send_text_msg([NOBODY], "to nobody"), fail(90012))

    calls.check("importmsg", sdk.import_text_msg(CAT, ANA, "old news"), ok())
    history = sdk.SYNC_FROM_OLD_SYSTEM_HISTORY
    calls.check("importmsg, not unread", sdk.import_text_msg(BO, CAT, "news", 7, history), ok())
    calls.check("importmsg, unknown sender", sdk.import_text_msg(CAT, NOBODY, "news", 8), fail(90048))

    calls.check("admin_msgwithdraw", sdk.admin_msg_withdraw(BO, ANA, sent["MsgKey"]), ok())
    calls.check("admin_msgwithdraw, again", sdk.admin_msg_withdraw(BO, ANA, sent["MsgKey"]), fail(20023))
    calls.check("admin_msgwithdraw, no key", sdk.admin_msg_withdraw(BO, ANA, ""), fail(90054))

    states = [{"To_Account": ANA, "State": "Offline"}, {"To_Account": BO, "State": "Offline"}]
    calls.check("querystate", sdk.query_state([ANA, BO]), ok(QueryResult=states))
    calls.check("querystate, unknown", sdk.query_state([NOBODY]), fail(70107))


def profiles(calls, sdk):
    def portraits(what, expected, users, tags=None):
        answer = calls.check(f"portrait_get, {what}", sdk.portrait_get(users, tags), ok(ErrorDisplay=""))
        items = {entry["To_Account"]: by_tag(entry["ProfileItem"]) for entry in answer["UserProfileItem"]}
        calls.check(f"portrait_get, {what}, its tags", items, expected)

    unset = {
        "Tag_Profile_IM_Nick": "",
        "Tag_Profile_IM_Gender": "Gender_Type_Unknown",
        "Tag_Profile_IM_BirthDay": 0,
        "Tag_Profile_IM_AdminForbidType": "AdminForbid_Type_None",
        "Tag_Profile_IM_AllowType": "AllowType_Type_AllowAny",
        "Tag_Profile_IM_SelfSignature": "",
    }
    portraits("of two", {ANA: {**unset, "Tag_Profile_IM_Nick": "Ana"}, BO: unset}, [ANA, BO])

    new = {
        "Tag_Profile_IM_Nick": "Ana Banana",
        "Tag_Profile_IM_Gender": "Gender_Type_Female",
        "Tag_Profile_IM_BirthDay": 19901231,
        "Tag_Profile_IM_AdminForbidType": "AdminForbid_Type_SendOut",
        "Tag_Profile_IM_AllowType": "AllowType_Type_NeedConfirm",
        "Tag_Profile_IM_SelfSignature": "häppy",
    }
    more = {
        "Tag_Profile_IM_Location": "Lyon",
        "Tag_Profile_IM_Language": 2,
        "Tag_Profile_IM_Image": "https://example.com/2.png",
        "Tag_Profile_IM_Level": 3,
        "Tag_Profile_IM_Role": 4294967295,
    }
    items = [{"Tag": tag, "Value": value} for tag, value in {**new, **more}.items()]
    calls.check("portrait_set", sdk.portrait_set(ANA, items), ok(ErrorDisplay=""))
    portraits("as it was set", {ANA: new}, [ANA])
    portraits("other tags", {ANA: more}, [ANA], list(more))

    known = item(ANA, ProfileItem=[{"Tag": "Tag_Profile_IM_Nick", "Value": "Ana Banana"}])
    expected = ok(
        UserProfileItem=[known, item_failed(NOBODY, 40003, ProfileItem=ABSENT)],
        Fail_Account=[NOBODY],
        ErrorDisplay="",
    )
    calls.check("portrait_get, one unknown", sdk.portrait_get([ANA, NOBODY], ["Tag_Profile_IM_Nick"]), expected)
    # Nobody is to be asked about who has to agree, in what comes next.
    anybody = [
        {"Tag": "Tag_Profile_IM_AllowType", "Value": "AllowType_Type_AllowAny"},
        {"Tag": "Tag_Profile_IM_AdminForbidType", "Value": "AdminForbid_Type_None"},
    ]
    calls.check("portrait_set, back again", sdk.portrait_set(ANA, anybody), ok(ErrorDisplay=""))


def wrong_profiles(calls, sdk):
    refusals = [
        ("unknown user", NOBODY, "Tag_Profile_IM_Nick", "No", 40003),
        ("unknown tag", ANA, "Tag_Profile_IM_Shoes", "44", 40009),
        ("too long", ANA, "Tag_Profile_IM_Nick", "n" * 501, 40601),
        ("none of the choices", ANA, "Tag_Profile_IM_Gender", "Gender_Type_Any", 40605),
        ("a number for a text", ANA, "Tag_Profile_IM_Nick", 44, 40610),
    ]
    for what, user, tag, value, code in refusals:
        answer = sdk.portrait_set(user, [{"Tag": tag, "Value": value}])
        calls.check(f"portrait_set, {what}", answer, fail(code, ErrorDisplay=""))
    nick = sdk.portrait_get([ANA], ["Tag_Profile_IM_Nick"])
    items = [{"Tag": "Tag_Profile_IM_Nick", "Value": "Ana Banana"}]
    calls.check("portrait_get, nothing changed", nick, ok(UserProfileItem=[item(ANA, ProfileItem=items)]))
    calls.check("portrait_get, of nobody", sdk.portrait_get([]), fail(40002, ErrorDisplay=""))


def friends(calls, sdk):
    both = "CheckResult_Type_BothWay"
    old = {
        "To_Account": BO,
        "Remark": "Bo from school",
        "RemarkTime": 1420000001,
        "GroupName": ["school"],
        "AddSource": "AddSource_Type_Android",
        "AddWording": "remember me?",
        "AddTime": 1420000001,
    }
    lost = {"To_Account": NOBODY, "AddSource": "AddSource_Type_Android"}
    items = [item(BO), item_failed(NOBODY, 30003)]
    expected = ok(ResultItem=items, Fail_Account=[NOBODY], ErrorDisplay="")
    calls.check("friend_import", sdk.friend_import(ANA, [old, lost]), expected)

    def relation(what, expected, owner, peers, way=sdk.CHECK_RESULT_TYPE_BOTH):
        related = [item(peer, Relation=f"CheckResult_Type_{name}") for peer, name in zip(peers, expected)]
        answer = sdk.friend_check(owner, peers, way)
        calls.check(f"friend_check, {what}", answer, ok(InfoItem=related, ErrorDisplay=""))

    relation("imported", ["AWithB", "NoRelation"], ANA, [BO, CAT])
    relation("imported, other side", ["BWithA"], BO, [ANA])
    relation("imported, one list", ["AWithB", "NoRelation"], ANA, [BO, CAT], sdk.CHECK_RESULT_TYPE_SINGLE)
    relation("imported, other list", ["NoRelation"], BO, [ANA], sdk.CHECK_RESULT_TYPE_SINGLE)

    new = {"To_Account": CAT, "AddSource": "AddSource_Type_iOS", "GroupName": "cats", "AddWording": "meow"}
    expected = ok(ResultItem=[item(CAT)], Fail_Account=ABSENT, ErrorDisplay="")
    calls.check("friend_add", sdk.friend_add(ANA, [new]), expected)
    relation("added", ["BothWay"], ANA, [CAT])
    one_way = {"To_Account": ANA, "AddSource": "AddSource_Type_iOS"}
    answer = sdk.friend_add(BO, [one_way], sdk.ADD_TYPE_SINGLE, sdk.FORCE_ADD_FLAGS_NO)
    calls.check("friend_add, one way", answer, ok(ResultItem=[item(ANA)]))
    relation("added one way", ["BothWay"], ANA, [BO])

    unknown = item_failed(NOBODY, 30003, Relation="CheckResult_Type_NoRelation")
    expected = ok(InfoItem=[item(BO, Relation=both), unknown], Fail_Account=[NOBODY])
    calls.check("friend_check, one unknown", sdk.friend_check(ANA, [BO, NOBODY]), expected)
    calls.check("friend_check, unknown owner", sdk.friend_check(NOBODY, [BO]), fail(30003, ErrorDisplay=""))


def friend_lists(calls, sdk):
    calls.check("group_add", sdk.group_add(ANA, ["chess"]), ok(CurrentSequence=INTEGER, ErrorDisplay=""))
    expected = ok(ResultItem=[item(CAT)], CurrentSequence=INTEGER)
    calls.check("group_add, with a friend", sdk.group_add(ANA, ["go"], [CAT]), expected)
    tags = [{"Tag": "Tag_SNS_IM_Group", "Value": ["chess"]}, {"Tag": "Tag_SNS_IM_Remark", "Value": "Bo"}]
    answer = sdk.friend_update(ANA, [{"To_Account": BO, "SnsItem": tags}])
    calls.check("friend_update", answer, ok(ResultItem=[item(BO)], Fail_Account=ABSENT, ErrorDisplay=""))
    expected = ok(CurrentSequence=INTEGER, ErrorDisplay="")
    calls.check("group_delete", sdk.group_delete(ANA, ["cats"]), expected)

    bo = {
        "Tag_SNS_IM_AddSource": "AddSource_Type_Android",
        "Tag_SNS_IM_AddTime": 1420000001,
        "Tag_SNS_IM_AddWording": "remember me?",
        "Tag_SNS_IM_Remark": "Bo",
        "Tag_SNS_IM_Group": ["chess"],
    }
    cat = {"Tag_SNS_IM_AddSource": "AddSource_Type_iOS", "Tag_SNS_IM_AddWording": "meow", "Tag_SNS_IM_Group": ["go"]}
    whole = ok(FriendNum=2, CompleteFlag=1, NextStartIndex=0, StandardSequence=INTEGER, CustomSequence=INTEGER)
    answer = calls.check("friend_get", sdk.friend_get(ANA), whole)
    kept = {entry["To_Account"]: by_tag(entry["ValueItem"]) for entry in answer["UserDataItem"]}
    calls.check("friend_get, its tags", kept, {BO: bo, CAT: cat})

    # Without tags, the package asks for these of a profile and of a friend.
    answer = calls.check("friend_get_list", sdk.friend_get_list(ANA, [BO]), ok(InfoItem=[item(BO)]))
    picked = by_tag(answer["InfoItem"][0]["SnsProfileItem"])
    calls.check("friend_get_list, its tags", picked, {"Tag_SNS_IM_Remark": "Bo", "Tag_SNS_IM_Group": ["chess"]})

    answer = sdk.friend_delete(ANA, [CAT], sdk.DELETE_TYPE_SINGLE)
    calls.check("friend_delete, one way", answer, ok(ResultItem=[item(CAT)], ErrorDisplay=""))
    calls.check("friend_delete", sdk.friend_delete(ANA, [BO]), ok(ResultItem=[item(BO)]))
    calls.check("friend_delete, a stranger", sdk.friend_delete(ANA, [BO]), ok(ResultItem=[item_failed(BO, 31704)]))
    calls.check("friend_delete_all", sdk.friend_delete_all(CAT), ok(ErrorDisplay=""))
    for user in [ANA, BO, CAT]:
        expected = ok(FriendNum=0, UserDataItem=[], CompleteFlag=1)
        calls.check(f"friend_get, {user} has none", sdk.friend_get(user), expected)


def blocklist(calls, sdk):
    def relation(what, expected, owner, peers, way=sdk.BLACK_CHECK_RESULT_TYPE_BOTH):
        related = [item(peer, Relation=f"BlackCheckResult_Type_{name}") for peer, name in zip(peers, expected)]
        answer = sdk.black_list_check(owner, peers, way)
        calls.check(f"black_list_check, {what}", answer, ok(BlackListCheckItem=related, ErrorDisplay=""))

    wish = {"To_Account": BO, "AddSource": "AddSource_Type_web"}
    calls.check("friend_add, before blocking", sdk.friend_add(ANA, [wish]), ok(ResultItem=[item(BO)]))
    items = [item(BO), item(CAT), item_failed(NOBODY, 30003)]
    expected = ok(ResultItem=items, Fail_Account=[NOBODY], ErrorDisplay="")
    calls.check("black_list_add", sdk.black_list_add(ANA, [BO, CAT, NOBODY]), expected)
    again = item(BO, 30001, "Err_SNS_BlackListAdd_Already_Exist")
    expected = ok(ResultItem=[again], Fail_Account=[BO])
    calls.check("black_list_add, again", sdk.black_list_add(ANA, [BO]), expected)
    # Whoever is blocked is no friend any more.
    strangers = [item(BO, Relation="CheckResult_Type_NoRelation")]
    calls.check("friend_check, after blocking", sdk.friend_check(ANA, [BO]), ok(InfoItem=strangers))

    relation("own", ["AWithB", "AWithB"], ANA, [BO, CAT])
    relation("the other's", ["BWithA", "NO"], BO, [ANA, CAT])
    single = sdk.BLACK_CHECK_RESULT_TYPE_SINGLE
    relation("one list", ["AWithB"], ANA, [BO], single)
    relation("the other list", ["NO"], BO, [ANA], single)

    blocked = [{"To_Account": user, "AddBlackTimeStamp": INTEGER} for user in (BO, CAT)]
    answer = sdk.black_list_get(ANA)
    answer["BlackListItem"] = by_account(answer.get("BlackListItem", []))
    expected = ok(BlackListItem=blocked, StartIndex=0, CurruentSequence=INTEGER, ErrorDisplay="")
    calls.check("black_list_get", answer, expected)
    first = sdk.black_list_get(ANA, max_limited=1)
    assert len(first["BlackListItem"]) == 1 and first["StartIndex"] > 0, first
    second = sdk.black_list_get(ANA, first["StartIndex"], 1)
    pages = by_account(first["BlackListItem"] + second["BlackListItem"])
    calls.check("black_list_get, in two pages", pages, blocked)

    expected = ok(ResultItem=[item(BO), item(CAT)], Fail_Account=ABSENT, ErrorDisplay="")
    calls.check("black_list_delete", sdk.black_list_delete(ANA, [BO, CAT]), expected)
    relation("after deleting", ["NO"], ANA, [BO])
    calls.check("black_list_get, empty", sdk.black_list_get(ANA), ok(BlackListItem=[], StartIndex=0))
    calls.check("black_list_add, unknown owner", sdk.black_list_add(NOBODY, [BO]), fail(30003, ErrorDisplay=""))


def mutes(calls, sdk):
    def times(what, c2c, group):
        expected = ok(C2CmsgNospeakingTime=c2c, GroupmsgNospeakingTime=group)
        calls.check(f"getnospeaking, {what}", sdk.get_no_speaking(BO), expected)

    times("not muted", 0, 0)
    forever = 4294967295
    calls.check("setnospeaking", sdk.set_no_speaking(BO, forever, 0), ok())
    times("for ever", forever, 0)
    calls.check("setnospeaking, for a while", sdk.set_no_speaking(BO, 7200), ok())
    answer = calls.check("getnospeaking, for a while", sdk.get_no_speaking(BO), ok(C2CmsgNospeakingTime=INTEGER))
    assert 7000 < answer["C2CmsgNospeakingTime"] <= 7200, answer
    # The package leaves out zeroes, so it cannot lift a mute: it sends a call that says nothing.
    calls.check("setnospeaking, nothing", sdk.set_no_speaking(BO, 0), fail(130008))
    calls.check("getnospeaking, nobody", sdk.get_no_speaking(""), fail(130003))


def leaving(calls, sdk):
    users = [ANA, BO, CAT]
    items = [{"ResultCode": 0, "ResultInfo": "", "UserID": user} for user in users]
    calls.check("account_delete", sdk.account_delete(users), ok(ResultItem=items))


def credentials(calls, server):
    """The same call with credentials that are wrong in one way each."""
    refusals = [
        ("another key", {"app_key": server.key + "x"}, 70009),
        ("another app", {"app_id": server.sdkappid + 1}, 70020),
        ("not an admin", {"identifier": ANA}, 60010),
    ]
    for what, wrong, code in refusals:
        refused = connected(server, **wrong).im_open_login_svc.account_check([ANA])
        calls.check(f"account_check, {what}", refused, fail(code))

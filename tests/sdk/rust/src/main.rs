//! A public server SDK for Rust against a running server, as it comes from its registry.
//!
//! The crate takes the host as an argument, and OpenSSL the authority from `SSL_CERT_FILE`: nothing is replaced. It reads
//! answers into types, so a member of another type than it expects fails the call. The first wrong answer ends the
//! program with status 1. The environment is that of `server_sdk.py`.

mod calls;

use calls::{fail, item, ok, Calls};
use serde_json::{json, Value};
use tencent_im_rs::api::v4::common::*;
use tencent_im_rs::api::v4::im_open_login_svc::*;
use tencent_im_rs::api::v4::open_config_svr::*;
use tencent_im_rs::api::v4::open_im::*;
use tencent_im_rs::api::v4::profile::*;
use tencent_im_rs::api::v4::recent_contact;
use tencent_im_rs::api::v4::sns::*;
use tencent_im_rs::api::v4::{self, TencentHelper};
use tencent_im_rs::user_sig::hmac_sha256::TencentSig;

const AMY: &str = "rs_amy";
const BOB: &str = "rs_bob";
const CAL: &str = "rs_cal";
const NOBODY: &str = "rs_nobody";
const HOUR_SECS: u64 = 3600;
/// The last second that fits where times have 31 bits.
const EVER_S: u32 = 2_147_483_647;

fn setting(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set; server_sdk.py says what it is"))
}

fn helper(key: &str, identifier: &str) -> TencentHelper {
    let sdkappid: u32 = setting("COUPLET_SDK_APPID").parse().expect("COUPLET_SDK_APPID is a number");
    let signer = TencentSig::new(sdkappid, key.to_owned());
    let usersig = signer.generate_user_sig(identifier.to_owned(), HOUR_SECS).expect("a UserSig");
    let host = format!("{}:{}", setting("COUPLET_SDK_HOST"), setting("COUPLET_SDK_PORT"));
    TencentHelper::new(host, sdkappid, identifier.to_owned(), usersig)
}

fn main() {
    std::env::set_var("SSL_CERT_FILE", setting("COUPLET_SDK_CA"));
    std::env::set_var("NO_PROXY", "*");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let count = runtime.block_on(run());
    println!("{count} calls of 1 SDK were answered as they should be.");
}

async fn run() -> usize {
    let (key, admin) = (setting("COUPLET_SDK_KEY"), setting("COUPLET_SDK_ADMIN"));
    let mut calls = Calls::default();
    let sdk = &mut helper(&key, &admin);
    accounts(&mut calls, sdk).await;
    let sent = messages(&mut calls, sdk).await;
    history(&mut calls, sdk, &sent).await;
    profiles(&mut calls, sdk).await;
    friends(&mut calls, sdk).await;
    friend_lists(&mut calls, sdk).await;
    blocklist(&mut calls, sdk).await;
    conversations_and_mutes(&mut calls, sdk).await;
    let none = account_check::AccountCheckRequest::new(vec![account_check::CheckItem::new(AMY)]);
    let stranger = &mut helper(&format!("{key}x"), &admin);
    calls.check("account_check, another key", account_check::api_account_check(stranger, none).await, fail(70009));
    leaving(&mut calls, sdk).await;
    calls.count
}

async fn accounts(calls: &mut Calls, sdk: &mut TencentHelper) {
    let mut one = account_import::AccountImportRequest::new(AMY);
    one.set_nick(Some("Amy")).set_face_url(Some("https://example.com/amy.png"));
    calls.check("account_import", account_import::api_account_import(sdk, one).await, ok(json!({})));
    let long = account_import::AccountImportRequest::new("u".repeat(33));
    calls.check("account_import, too long", account_import::api_account_import(sdk, long).await, fail(70402));
    let some = multi_account_import::MultiAccountImportRequest::new(vec![BOB, CAL]);
    let answer = multi_account_import::api_multiaccount_import(sdk, some).await;
    calls.check("multiaccount_import", answer, ok(json!({"FailAccounts": []})));

    let items = [BOB, NOBODY].map(account_check::CheckItem::new).into();
    let found =
        |user: &str, status: &str| json!({"UserID": user, "ResultCode": 0, "ResultInfo": "", "AccountStatus": status});
    let expected = ok(json!({"ResultItem": [found(BOB, "Imported"), found(NOBODY, "NotImported")]}));
    let answer = account_check::api_account_check(sdk, account_check::AccountCheckRequest::new(items)).await;
    calls.check("account_check", answer, expected);

    calls.check("kick", kick::api_kick(sdk, kick::KickRequest::new(CAL)).await, ok(json!({})));
    calls.check("kick, unknown", kick::api_kick(sdk, kick::KickRequest::new(NOBODY)).await, fail(70107));
    // The crate asks for this under a service that does not have it.
    let query = query_online_status::QueryOnlineStatusRequest::new(vec![AMY]);
    let answer = query_online_status::api_query_online_status(sdk, query).await;
    calls.check("query_online_status, of the wrong service", answer, fail(60009));
}

fn text(words: &str) -> Vec<MsgBody> {
    vec![MsgBody::new(MsgContent::str_text(), MsgContent::content_text(words))]
}

/// Keys of the two messages that Amy sent to Bob: one to him, one to him and Cal.
struct Sent {
    alone: String,
    together: String,
}

async fn messages(calls: &mut Calls, sdk: &mut TencentHelper) -> Sent {
    let mut elements = text("hello");
    let custom = MsgContent::content_custom("{}", Some("a note"), None, None);
    elements.push(MsgBody::new(MsgContent::str_custom(), custom));
    let mut hello = send_msg::SendMsgRequest::new(BOB, u32::MAX, elements);
    hello.set_from_account(Some(AMY)).set_msg_seq(Some(7)).set_cloud_custom_data(Some("data"));
    hello.set_sync_other_machine(Some(1)).set_is_need_read_receipt(Some(1));
    let expected = ok(json!({"MsgTime": "<integer>", "MsgKey": "<text>"}));
    let alone = calls.check("sendmsg", send_msg::api_sendmsg(sdk, hello).await, expected);
    assert!(alone["MsgKey"].as_str().is_some_and(|key| key.starts_with("7_4294967295_")), "{alone}");
    let mut lost = send_msg::SendMsgRequest::new(NOBODY, 1, text("hello"));
    lost.set_from_account(Some(AMY));
    calls.check("sendmsg, unknown recipient", send_msg::api_sendmsg(sdk, lost).await, fail(20003));

    let mut some = batch_send_msg::BatchSendMsgRequest::new(vec![BOB, CAL, NOBODY], 5, text("all of you"));
    some.set_from_account(Some(AMY));
    let expected = json!({
        "ActionStatus": "SomeError", "ErrorCode": 0, "MsgKey": "<text>",
        "ErrorList": [{"To_Account": NOBODY, "ErrorCode": 70107}],
    });
    let together = calls.check("batchsendmsg", batch_send_msg::api_batchsendmsg(sdk, some).await, expected);

    // The crate has the types of this command, and no function for it.
    let mut old = import_msg::ImportMsgRequest::new(CAL, BOB, 9, 1_700_000_000, text("old news"));
    old.set_sync_from_old_system(Some(2)).set_msg_seq(Some(1));
    let url = v4::make_url(sdk, "v4/openim/importmsg");
    let answer = v4::send::<_, import_msg::ImportMsgResponse>(sdk, url, &old).await;
    calls.check("importmsg", answer, ok(json!({})));

    let mut request = get_c2c_unread_msg_num::GetC2CUnreadMsgNumRequest::new(BOB);
    let answer = get_c2c_unread_msg_num::api_get_c2c_unread_msg_num(sdk, request).await;
    calls.check("get_c2c_unread_msg_num", answer, ok(json!({"AllC2CUnreadMsgNum": 2})));
    request = get_c2c_unread_msg_num::GetC2CUnreadMsgNumRequest::new(BOB);
    request.set_peer_account(Some(vec![AMY, NOBODY]));
    let expected = ok(json!({
        "C2CUnreadMsgNumList": [{"Peer_Account": AMY, "C2CUnreadMsgNum": 2}],
        "ErrorList": [{"Peer_Account": NOBODY, "ErrorCode": 70107}],
    }));
    let answer = get_c2c_unread_msg_num::api_get_c2c_unread_msg_num(sdk, request).await;
    calls.check("get_c2c_unread_msg_num, by peer", answer, expected);
    let read = admin_set_msg_read::AdminSetMsgReadRequest::new(BOB, AMY);
    calls.check("admin_set_msg_read", admin_set_msg_read::api_admin_set_msg_read(sdk, read).await, ok(json!({})));

    let key = |answer: &Value| answer["MsgKey"].as_str().expect("checked").to_owned();
    Sent { alone: key(&alone), together: key(&together) }
}

async fn history(calls: &mut Calls, sdk: &mut TencentHelper, sent: &Sent) {
    let mut edit = modify_c2c_msg::ModifyC2CMsgRequest::new(AMY, BOB, sent.alone.as_str());
    edit.set_msg_body(Some(text("hello again")));
    let answer = modify_c2c_msg::api_modify_c2c_msg(sdk, edit).await;
    calls.check("modify_c2c_msg", answer, json!({"ActionStatus": "OK", "ErrorCode": 0}));

    let recall = || admin_msg_withdraw::AdminMsgWithdrawRequest::new(AMY, BOB, sent.together.as_str());
    let answer = admin_msg_withdraw::api_admin_msgwithdraw(sdk, recall()).await;
    calls.check("admin_msgwithdraw", answer, ok(json!({})));
    let answer = admin_msg_withdraw::api_admin_msgwithdraw(sdk, recall()).await;
    calls.check("admin_msgwithdraw, again", answer, fail(20023));

    let page = admin_getroammsg::AdminGetRoamMsgRequest::new(BOB, AMY, 10, 0, EVER_S);
    let expected = ok(json!({"Complete": 1, "MsgCnt": 2, "LastMsgKey": sent.alone, "MsgList": [
        {"From_Account": AMY, "To_Account": BOB, "MsgSeq": 7, "MsgRandom": u32::MAX, "MsgTimeStamp": "<integer>",
         "MsgFlagBits": 0, "IsPeerRead": 0, "MsgKey": sent.alone, "CloudCustomData": "data",
         "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": "hello again"}}]},
        {"MsgRandom": 5, "MsgFlagBits": 8, "MsgKey": sent.together},
    ]}));
    calls.check("admin_getroammsg", admin_getroammsg::api_admin_getroammsg(sdk, page).await, expected);
}

async fn profiles(calls: &mut Calls, sdk: &mut TencentHelper) {
    let items = vec![
        portrait_set::ProfileItem::new(ProfileTag::str_gender(), ProfileTag::tag_gender("Gender_Type_Female")),
        portrait_set::ProfileItem::new(ProfileTag::str_birthday(), ProfileTag::tag_birthday(19_901_231)),
    ];
    let set = portrait_set::PortraitSetRequest::new(AMY.to_owned(), items);
    calls.check("portrait_set", portrait_set::api_portrait_set(sdk, set).await, ok(json!({"ErrorDisplay": ""})));
    let tags = ["Tag_Profile_IM_Nick", "Tag_Profile_IM_Gender", "Tag_Profile_IM_BirthDay"];
    let get = portrait_get::PortraitGetRequest::new(vec![AMY, NOBODY], tags.into());
    let shown = json!([
        {"Tag": tags[0], "Value": "Amy"},
        {"Tag": tags[1], "Value": "Gender_Type_Female"},
        {"Tag": tags[2], "Value": 19_901_231},
    ]);
    let unknown = json!({"To_Account": NOBODY, "ResultCode": 40003, "ResultInfo": "<text>", "ProfileItem": null});
    let expected = ok(json!({
        "UserProfileItem": [item(AMY, json!({"ProfileItem": shown})), unknown],
        "Fail_Account": [NOBODY],
    }));
    calls.check("portrait_get", portrait_get::api_portrait_get(sdk, get).await, expected);
}

async fn friends(calls: &mut Calls, sdk: &mut TencentHelper) {
    let mut bob = friend_add::AddFriendItem::new(BOB);
    bob.set_remark(Some("Bobby")).set_group_name(Some("work")).set_add_source(Some("AddSource_Type_Web"));
    let mut add = friend_add::FriendAddRequest::new(AMY, vec![bob]);
    add.set_add_type(Some(FriendAddType::AddTypeBoth)).set_force_add_flags(Some(1));
    let expected = ok(json!({"ResultItem": [item(BOB, json!({}))], "Fail_Account": null, "ErrorDisplay": ""}));
    calls.check("friend_add", friend_add::api_friend_add(sdk, add).await, expected);

    let mut cal = friend_import::AddFriendItem::new(CAL);
    cal.set_add_source(Some("AddSource_Type_Web")).set_add_time(Some(1_420_000_001));
    cal.set_remark_time(Some(1_420_000_002)).set_group_name(Some(vec!["work", "chess"]));
    let mut import = friend_import::FriendImportRequest::new(AMY);
    import.set_add_friend_item(vec![cal]);
    let expected = ok(json!({"ResultItem": [item(CAL, json!({}))]}));
    calls.check("friend_import", friend_import::api_friend_import(sdk, import).await, expected);

    let both = FriendCheckType::CheckResultTypeBoth;
    let check = friend_check::FriendCheckRequest::new(AMY, vec![BOB, CAL, NOBODY], both);
    let expected = ok(json!({"InfoItem": [
        item(BOB, json!({"Relation": "CheckResult_Type_BothWay"})),
        item(CAL, json!({"Relation": "CheckResult_Type_AWithB"})),
        {"To_Account": NOBODY, "ResultCode": 30003, "Relation": "CheckResult_Type_NoRelation"},
    ], "Fail_Account": [NOBODY]}));
    calls.check("friend_check", friend_check::api_friend_check(sdk, check).await, expected);

    let mut robert = friend_update::UpdateItem::new(BOB);
    let remark = friend_update::SnsItem::new(SnsTag::str_remark(), SnsTag::tag_remark("Robert"));
    let groups = friend_update::SnsItem::new(SnsTag::str_group(), SnsTag::tag_group(vec!["chess"]));
    robert.set_sns_items(vec![remark, groups]);
    let mut update = friend_update::FriendUpdateRequest::new(AMY);
    update.set_update_items(vec![robert]);
    let expected = ok(json!({"ResultItem": [item(BOB, json!({}))]}));
    calls.check("friend_update", friend_update::api_friend_update(sdk, update).await, expected);
}

async fn friend_lists(calls: &mut Calls, sdk: &mut TencentHelper) {
    let page = friend_get::FriendGetRequest::new(AMY, 0);
    let expected = ok(json!({
        "FriendNum": 2, "CompleteFlag": 1, "NextStartIndex": 0,
        "StandardSequence": "<integer>", "CustomSequence": "<integer>",
    }));
    calls.check("friend_get", friend_get::api_friend_get(sdk, page).await, expected);
    let tags = vec!["Tag_SNS_IM_Remark", "Tag_SNS_IM_Group"];
    let pick = friend_get_list::FriendGetListRequest::new(AMY, vec![BOB], tags);
    let kept =
        json!([{"Tag": "Tag_SNS_IM_Remark", "Value": "Robert"}, {"Tag": "Tag_SNS_IM_Group", "Value": ["chess"]}]);
    let expected = ok(json!({"InfoItem": [item(BOB, json!({"SnsProfileItem": kept}))]}));
    calls.check("friend_get_list", friend_get_list::api_friend_get_list(sdk, pick).await, expected);

    let mut go = group_add::GroupAddRequest::new(AMY, vec!["go"]);
    go.set_to_accounts(Some(vec![CAL]));
    let expected = ok(json!({"ResultItem": [item(CAL, json!({}))], "CurrentSequence": "<integer>"}));
    calls.check("group_add", group_add::api_group_add(sdk, go).await, expected);
    let mut get = group_get::GroupGetRequest::new(AMY);
    get.set_need_friend(Some(true)).set_group_names(Some(vec!["go"]));
    let group = json!({"GroupName": "go", "FriendNumber": 1, "To_Account": [CAL]});
    let answer = group_get::api_group_get(sdk, get).await;
    calls.check("group_get", answer, ok(json!({"ResultItem": [group], "CurrentSequence": "<integer>"})));
    let delete = group_delete::GroupDeleteRequest::new(AMY, vec!["go", "work"]);
    let answer = group_delete::api_group_delete(sdk, delete).await;
    calls.check("group_delete", answer, ok(json!({"CurrentSequence": "<integer>"})));

    let mut delete = friend_delete::FriendDeleteRequest::new(AMY, vec![BOB, NOBODY]);
    delete.set_delete_type(Some(FriendDeleteType::DeleteTypeBoth));
    let stranger = json!({"To_Account": NOBODY, "ResultCode": 31704, "ResultInfo": "<text>"});
    let expected = ok(json!({"ResultItem": [item(BOB, json!({})), stranger]}));
    calls.check("friend_delete", friend_delete::api_friend_delete(sdk, delete).await, expected);
    let mut all = friend_delete_all::FriendDeleteAllRequest::new(AMY.to_owned());
    all.set_delete_type(Some(FriendDeleteType::DeleteTypeSingle));
    calls.check("friend_delete_all", friend_delete_all::api_friend_delete_all(sdk, all).await, ok(json!({})));
    let page = friend_get::FriendGetRequest::new(AMY, 0);
    let expected = ok(json!({"FriendNum": 0, "UserDataItem": []}));
    calls.check("friend_get, none left", friend_get::api_friend_get(sdk, page).await, expected);
}

async fn blocklist(calls: &mut Calls, sdk: &mut TencentHelper) {
    let add = || black_list_add::BlackListAddRequest::new(AMY, vec![BOB]);
    let done = ok(json!({"ResultItem": [item(BOB, json!({}))], "Fail_Account": null}));
    calls.check("black_list_add", black_list_add::api_black_list_add(sdk, add()).await, done.clone());
    let info = "Err_SNS_BlackListAdd_Already_Exist";
    let again = json!({"To_Account": BOB, "ResultCode": 30001, "ResultInfo": info});
    let expected = ok(json!({"ResultItem": [again], "Fail_Account": [BOB]}));
    calls.check("black_list_add, again", black_list_add::api_black_list_add(sdk, add()).await, expected);
    let both = BlackListVerifyType::BlackCheckResultTypeBoth;
    let check = black_list_check::BlackListCheckRequest::new(AMY, vec![BOB, CAL], both);
    let expected = ok(json!({"BlackListCheckItem": [
        item(BOB, json!({"Relation": "BlackCheckResult_Type_AWithB"})),
        item(CAL, json!({"Relation": "BlackCheckResult_Type_NO"})),
    ]}));
    calls.check("black_list_check", black_list_check::api_black_list_check(sdk, check).await, expected);
    let page = black_list_get::BlackListGetRequest::new(AMY, 0, 30, 0);
    let blocked = json!([{"To_Account": BOB, "AddBlackTimeStamp": "<integer>"}]);
    let expected = ok(json!({"BlackListItem": blocked, "StartIndex": 0, "CurruentSequence": "<integer>"}));
    calls.check("black_list_get", black_list_get::api_black_list_get(sdk, page).await, expected);
    let delete = black_list_delete::BlackListDeleteRequest::new(AMY, vec![BOB]);
    calls.check("black_list_delete", black_list_delete::api_black_list_delete(sdk, delete).await, done);
}

async fn conversations_and_mutes(calls: &mut Calls, sdk: &mut TencentHelper) {
    let list = || recent_contact::get_list::GetListRequest::new(BOB, 0, 0, 0, 0, AssistFlag::all());
    let answer = recent_contact::get_list::api_get_list(sdk, list()).await;
    // Cal's old news is the older of the two.
    let entry = |peer: &str| json!({"Type": 1, "To_Account": peer, "MsgTime": "<integer>", "TopFlag": 0});
    calls.check("get_list", answer, ok(json!({"SessionItem": [entry(AMY), entry(CAL)], "CompleteFlag": 1})));
    let mut remove = recent_contact::delete::DeleteRequest::new(BOB, ConversationType::OneToOne);
    remove.set_to_account(Some(AMY)).set_clear_ramble(Some(true));
    calls.check("delete", recent_contact::delete::api_delete(sdk, remove).await, ok(json!({})));
    let answer = recent_contact::get_list::api_get_list(sdk, list()).await;
    calls.check("get_list, one deleted", answer, ok(json!({"SessionItem": [entry(CAL)]})));

    for (secs, what) in [(u32::MAX, "for ever"), (0, "lifted")] {
        let mut set = set_no_speaking::SetNoSpeakingRequest::new(BOB);
        set.set_c2c_msg_no_speaking_time(Some(secs)).set_group_msg_no_speaking_time(Some(0));
        let answer = set_no_speaking::api_setnospeaking(sdk, set).await;
        calls.check(&format!("setnospeaking, {what}"), answer, ok(json!({})));
        let get = get_no_speaking::GetNoSpeakingRequest::new(BOB);
        let expected = ok(json!({"C2CmsgNospeakingTime": secs, "GroupmsgNospeakingTime": 0}));
        let answer = get_no_speaking::api_getnospeaking(sdk, get).await;
        calls.check(&format!("getnospeaking, {what}"), answer, expected);
    }
}

async fn leaving(calls: &mut Calls, sdk: &mut TencentHelper) {
    let items = [AMY, BOB, CAL, NOBODY].map(account_delete::DeleteItem::new).into();
    let gone = |user: &str| json!({"ResultCode": 0, "ResultInfo": "", "UserID": user});
    let unknown = json!({"ResultCode": 70107, "ResultInfo": "<text>", "UserID": NOBODY});
    let expected = ok(json!({"ResultItem": [gone(AMY), gone(BOB), gone(CAL), unknown]}));
    let answer = account_delete::api_account_delete(sdk, account_delete::AccountDeleteRequest::new(items)).await;
    calls.check("account_delete", answer, expected);
}

//! Inputs for property tests: JSON that uses the words of the protocol in the wrong places.

use proptest::prelude::{Just, Strategy, prop, prop_oneof};

const NAMES: &[&str] = &[
    "MsgBody",
    "MsgType",
    "MsgContent",
    "MsgList",
    "JsonMsgKey",
    "ImageInfoArray",
    "Text",
    "From_Account",
    "To_Account",
    "MsgRandom",
    "MsgLifeTime",
    "MsgKey",
    "MsgTimeStamp",
    "SyncFromOldSystem",
    "Peer_Account",
    "ExtensionList",
    "OperateType",
    "Key",
    "Type",
    "OfflinePushInfo",
    "AccountList",
    "UserID",
    "Operator_Account",
    "ErrorCode",
    "ActionStatus",
    "id",
    "op",
    "body",
    "to",
    "position",
    "epoch",
];

const VALUES: &[&str] = &[
    "null",
    "true",
    "0",
    "2",
    "-1",
    "1e999",
    "4294967295",
    "99999999999999999999",
    "\"\"",
    "\"7\"",
    "\"ada\"",
    "\"3_31_1900\"",
    "\"\\ud800\"",
    "\"\\ud83d\\ude00\"",
    "\"send\"",
    "\"connect\"",
    "\"history\"",
    "\"TIMTextElem\"",
    "\"TIMImageElem\"",
    "\"TIMRelayElem\"",
    "\"TIMCustomElem\"",
];

/// Well-formed JSON of any shape.
pub(crate) fn any_json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        prop::sample::select(VALUES).prop_map(str::to_owned),
        "\\PC*".prop_map(|text| serde_json::to_string(&text).unwrap()),
        Just("[]".to_owned()),
    ];
    leaf.prop_recursive(6, 60, 5, |inner| {
        let member = (prop::sample::select(NAMES), inner.clone());
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec(member, 0..6).prop_map(|members| {
                let members: Vec<_> =
                    members.iter().map(|(name, value)| format!("\"{name}\": {value}")).collect();
                format!("{{{}}}", members.join(" ,"))
            }),
        ]
    })
}

/// Bytes that may be anything: noise, cut JSON, or JSON.
pub(crate) fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(0_u8.., 0..200),
        any_json().prop_map(String::into_bytes),
        (any_json(), 0_usize..200).prop_map(|(text, len)| text.into_bytes().into_iter().take(len).collect()),
    ]
}

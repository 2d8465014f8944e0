//! What the original's REST API has and this server has not.

/// A command, or a whole service, of the original.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missing {
    /// The paths, below `/v4/`.
    pub paths: &'static [&'static str],
    /// What they do.
    pub does: &'static str,
    /// Why they are not here.
    pub why: &'static str,
}

/// All of them, in the order of the original's own list.
pub const MISSING: &[Missing] = &[
    Missing {
        paths: &["all_member_push/…"],
        does: "Pushes a message to all users, or to those with some attributes or tags",
        why: "A push to everybody is no conversation between two. A backend has its users' names, and sends with `batchsendmsg`.",
    },
    Missing {
        paths: &["follow/…"],
        does: "Users follow one another",
        why: "Following is for public pages and has no effect on messages between two.",
    },
    Missing {
        paths: &[
            "recentcontact/create_contact_group",
            "recentcontact/update_contact_group",
            "recentcontact/del_contact_group",
            "recentcontact/search_contact_group",
            "recentcontact/get_contact_group",
        ],
        does: "Puts conversations into groups",
        why: "An app keeps such views for itself; no rule of messaging depends on them.",
    },
    Missing {
        paths: &["recentcontact/mark_contact"],
        does: "Puts marks on conversations",
        why: "As for groups of conversations. Pinning, the one mark that orders the list, is there.",
    },
    Missing {
        paths: &["group_open_http_svc/…", "group_open_attr_http_svc/…", "openim/modify_group_msg"],
        does: "Group chat",
        why: "This server is for messages between two.",
    },
    Missing {
        paths: &[
            "openim_msg_ext_http_svc/group_set_key_values",
            "openim_msg_ext_http_svc/group_get_key_values",
        ],
        does: "Puts pairs on messages of groups",
        why: "There are no groups.",
    },
    Missing {
        paths: &["openconfigsvr/getappinfo"],
        does: "Reads figures of the app's operation",
        why: "The figures of a server of one's own are at `/metrics`.",
    },
    Missing {
        paths: &["open_msg_svc/get_history"],
        does: "Names files with an hour's messages to download",
        why: "Every message is an event: the [event API](event-api.md) reads them as they come, and again.",
    },
    Missing {
        paths: &["im_cos_msg/get_cos_sig"],
        does: "Signs the URLs of files in messages",
        why: "Files are stored by the app; elements name them by URL.",
    },
    Missing {
        paths: &["ConfigSvc/GetIPList"],
        does: "Lists the addresses of the service",
        why: "A server of one's own has the address that one gave it.",
    },
    Missing {
        paths: &["openim_dirty_words/…"],
        does: "Changes word lists, in versions long gone",
        why: "Word lists stand in the configuration: `[[app.filter]]`.",
    },
];

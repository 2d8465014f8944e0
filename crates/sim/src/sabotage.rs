//! Bugs to put in on purpose: the proof that the checkers would notice them.

/// A bug in what surrounds the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sabotage {
    /// The after-send event is recorded in a commit of its own, a little later.
    EventAfterCommit,
    /// The same of the event of an edit.
    EditEventAfterCommit,
    /// A resend is taken for a new message.
    NoDuplicateGuard,
    /// The same of an import that is made once more.
    NoImportGuard,
    /// What two people have decided is looked at before the commit of a send, not in it.
    TermsBeforeCommit,
    /// A conversation that is read up to a time is read as a whole.
    WholeMarks,
    /// Word of a recall bears the unread total of before it.
    RecallKeepsUnread,
    /// Sessions go on when word that their credential is worthless was lost.
    NoLookAtCredentials,
    /// An app adds a change to what it has once more.
    ChangeTakenTwice,
    /// An app makes nothing of a change.
    ChangeLeftOut,
    /// An app takes an answer for true that changes have overtaken.
    OldAnswersTrusted,
    /// A returning device is followed from one entry too far.
    DeviceAhead,
    /// Checkpoints keep a cursor that is one event too far.
    CursorAhead,
    /// An attempt whose settler died is waited for without end.
    EndlessClaims,
    /// A checkpoint of before a replay reaches the store after it.
    FormerCheckpoint,
    /// Nobody looks whether whoever writes a checkpoint still has the lane.
    FormerHolder,
}

//! [`AuditPart`]: the parameters of `k8saudit`, by name.

/// Names of the parameters of `k8saudit`, in order.
const PART_NAMES: [&str; 25] = [
    "level",
    "stage",
    "verb",
    "uri",
    "user",
    "resource",
    "namespace",
    "name",
    "subresource",
    "code",
    "agent",
    "group",
    "version",
    "uid",
    "revision",
    "id",
    "ips",
    "account",
    "as",
    "status",
    "notes",
    "request",
    "response",
    "form",
    "rest",
];

/// A parameter of `k8saudit`; the number is its place in the event table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AuditPart {
    /// `level`.
    Level,
    /// `stage`.
    Stage,
    /// `verb`.
    Verb,
    /// `requestURI`.
    Uri,
    /// `user.username`.
    User,
    /// `objectRef.resource`.
    Resource,
    /// `objectRef.namespace`.
    Namespace,
    /// `objectRef.name`.
    Name,
    /// `objectRef.subresource`.
    Subresource,
    /// `responseStatus.code`.
    Code,
    /// `userAgent`.
    Agent,
    /// `objectRef.apiGroup`.
    Group,
    /// `objectRef.apiVersion`.
    Version,
    /// `objectRef.uid`.
    Uid,
    /// `objectRef.resourceVersion`.
    Revision,
    /// `auditID`: the 16 bytes of a UUID, or text as it is.
    Id,
    /// `sourceIPs`, JSON.
    Ips,
    /// `user` with a mark for its `username`, JSON.
    Account,
    /// `impersonatedUser`, JSON.
    As,
    /// `responseStatus`, JSON.
    Status,
    /// `annotations`, JSON.
    Notes,
    /// `requestObject`, JSON.
    Request,
    /// `responseObject`, JSON.
    Response,
    /// The whole with marks for all the others.
    Form,
    /// Values that have no parameter, one behind the other with a byte 1 between them.
    Rest,
}

/// All of them, in order.
const ALL: [AuditPart; 25] = {
    use AuditPart as P;
    [
        P::Level,
        P::Stage,
        P::Verb,
        P::Uri,
        P::User,
        P::Resource,
        P::Namespace,
        P::Name,
        P::Subresource,
        P::Code,
        P::Agent,
        P::Group,
        P::Version,
        P::Uid,
        P::Revision,
        P::Id,
        P::Ips,
        P::Account,
        P::As,
        P::Status,
        P::Notes,
        P::Request,
        P::Response,
        P::Form,
        P::Rest,
    ]
};

/// Subresources of pods that people take for verbs: the API server logs them as a `create` or `get`.
pub const STREAMS: [&str; 3] = ["exec", "attach", "portforward"];

/// Whether a subresource is one of the [`STREAMS`].
pub fn is_stream(subresource: &[u8]) -> bool {
    STREAMS.iter().any(|stream| stream.as_bytes() == subresource)
}

impl AuditPart {
    /// All of them, in order.
    pub fn all() -> impl Iterator<Item = AuditPart> {
        ALL.into_iter()
    }

    /// Its place among the parameters.
    pub const fn place(self) -> usize {
        self as usize
    }

    /// Its name in the event table.
    pub fn name(self) -> &'static str {
        PART_NAMES[self.place()]
    }

    /// Whether it is text that a JSON string says; others stand in the form as they are.
    pub(super) const fn is_string(self) -> bool {
        !matches!(self, AuditPart::Code) && self.place() <= AuditPart::Revision.place()
    }

    /// The mark of its value: a byte 1, then a letter. Capitals stand for strings as Go writes them, small letters for
    /// strings where `<`, `>` and `&` stand for themselves.
    pub(super) const fn mark(self, is_html: bool) -> [u8; 2] {
        [MARK, (if is_html { b'A' } else { b'a' }) + self as u8]
    }

    /// The part of a mark's letter, and whether strings are as Go writes them.
    pub(super) fn of_letter(letter: u8) -> Option<(AuditPart, bool)> {
        let is_html = letter.is_ascii_uppercase();
        let place = letter.checked_sub(if is_html { b'A' } else { b'a' })?;
        ALL.get(usize::from(place)).map(|&part| (part, is_html))
    }
}

/// What begins a mark: no JSON text has this byte.
pub(super) const MARK: u8 = 1;
/// The same inside of `account`, which stays JSON with it: a byte that hardly any name has.
pub(super) const INNER: u8 = 0x7f;
/// The letter of the mark of `stageTimestamp`.
pub(super) const STAGE_TIME: u8 = b'0';
/// The letter of the mark of `requestReceivedTimestamp`.
pub(super) const RECEIVED: u8 = b'1';

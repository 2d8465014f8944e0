//! What is said of the client protocol, from the tables in `protocol::client::surface`: the types of the TypeScript SDK,
//! and a schema for machines.

mod schema;
mod typescript;

pub(super) use schema::document as schema;
pub(super) use typescript::files as typescript;

use protocol::client::surface::{CHANGE, Kind, Member, Object, PUSHES, REFUSAL, UPLOADED, Words, operations};

/// `read_all` as the name of a type: `ReadAll`.
fn camel(name: &str) -> String {
    let capitalised = |word: &str| {
        let (first, rest) = word.split_at(1);
        first.to_ascii_uppercase() + rest
    };
    name.split('_').map(capitalised).collect()
}

/// What has a name of its own, each once, and after what it has in it.
#[derive(Default)]
struct Named {
    objects: Vec<&'static Object>,
    words: Vec<&'static Words>,
}

impl Named {
    fn all() -> Named {
        let mut named = Named::default();
        for operation in operations() {
            named.add_members(operation.request);
            named.add_members(operation.answer);
        }
        named.add_object(REFUSAL);
        named.add_object(UPLOADED);
        named.add_object(CHANGE);
        for push in PUSHES {
            named.add_members(push.members);
        }
        named
    }

    fn add_members(&mut self, members: &'static [Member]) {
        for member in members {
            self.add_kind(&member.kind);
        }
    }

    fn add_kind(&mut self, kind: &Kind) {
        if let Some(words) = kind.words()
            && self.words.iter().all(|known| known.name != words.name)
        {
            self.words.push(words);
        }
        if let Some(object) = kind.object() {
            self.add_object(object);
        }
    }

    fn add_object(&mut self, object: &'static Object) {
        if self.objects.iter().all(|known| known.name != object.name) {
            self.add_members(object.members);
            self.objects.push(object);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_name_is_found_once() {
        assert_eq!((camel("read_all"), camel("x")), ("ReadAll".to_owned(), "X".to_owned()));
        let named = Named::all();
        let mut names: Vec<&str> = named.objects.iter().map(|object| object.name).collect();
        names.extend(named.words.iter().map(|words| words.name));
        assert!(names.contains(&"Message") && names.contains(&"Position") && names.contains(&"Notify"));
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}

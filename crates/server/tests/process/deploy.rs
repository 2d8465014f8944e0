//! What `deploy/` says is what the binary takes.

use crate::place;
use std::path::{Path, PathBuf};

fn deploy(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy").join(file)
}

#[test]
fn the_settings_of_the_manifests_are_taken() {
    let settings = deploy("kubernetes/couplet.toml");
    let passwords = std::fs::read_to_string(deploy("kubernetes/passwords.env")).unwrap();
    let passwords = passwords.lines().map(|line| line.split_once('=').unwrap());
    let mut asked = place::couplet();
    asked.args(["usersig", "administrator", "--config"]).arg(settings).envs(passwords);
    let said = asked.output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
}

//! Programs that the steps, and other commands, need: found, else installed where nothing of the user's is touched,
//! else named.

use crate::tree::root;
use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A missing system program, and what Debian calls it.
struct SystemPackage {
    probe: &'static [&'static str],
    packages: &'static [&'static str],
}

const PYTHON: SystemPackage = SystemPackage {
    probe: &["python3", "-c", "import venv, ensurepip"],
    packages: &["python3", "python3-venv"],
};
const NODE: SystemPackage = SystemPackage { probe: &["npm", "--version"], packages: &["nodejs", "npm"] };
const CHROMIUM: SystemPackage = SystemPackage { probe: &["chromium", "--version"], packages: &["chromium"] };
/// What the TLS of a server SDK is built against.
const OPENSSL: SystemPackage =
    SystemPackage { probe: &["pkg-config", "--exists", "openssl"], packages: &["pkg-config", "libssl-dev"] };
const GO: SystemPackage = SystemPackage { probe: &["go", "version"], packages: &["golang-go"] };
const POSTGRES: SystemPackage = SystemPackage {
    probe: &["sh", "-c", "ls /usr/lib/postgresql/*/bin/initdb || command -v initdb"],
    packages: &["postgresql"],
};
const PHP: SystemPackage = SystemPackage {
    probe: &["php", "-r", "exit(extension_loaded('pdo_sqlite') ? 0 : 1);"],
    packages: &["php-cli", "php-sqlite3"],
};

/// Runs a command in sight of the user, from the root unless it says otherwise.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    if command.get_current_dir().is_none() {
        command.current_dir(root());
    }
    // Cargo describes xtask to it in the environment. Passed on, that would make build scripts run again and again.
    for (name, _) in std::env::vars_os() {
        if ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|ours| name.to_string_lossy().starts_with(ours)) {
            command.env_remove(name);
        }
    }
    let shown = show(command);
    println!("$ {shown}");
    let status = command.status().with_context(|| format!("cannot start {shown}"))?;
    ensure!(status.success(), "{shown}: {status}");
    Ok(())
}

fn show(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let short =
        |word: &std::ffi::OsStr| Path::new(word).strip_prefix(root()).map_or(word.into(), PathBuf::from);
    words.map(|word| short(word).display().to_string()).collect::<Vec<_>>().join(" ")
}

/// A cargo extension: the user's own, or a ready-made build.
pub(super) fn cargo_tool(name: &str) -> Result<Command> {
    if starts(&[name, "--version"]) {
        return Ok(Command::new(name));
    }
    let advice = || format!("{name} is missing; install it with: cargo install --locked {name}");
    python_with(&root().join("xtask/requirements.txt")).with_context(advice)?;
    let installed = environment().join("bin").join(name);
    ensure!(installed.exists(), advice());
    Ok(Command::new(installed))
}

/// A Python that has what a requirements file lists.
pub(crate) fn python_with(requirements: &Path) -> Result<PathBuf> {
    let python = environment().join("bin/python");
    if !python.exists() {
        ensure_system(&PYTHON)?;
        run(Command::new("python3").args(["-m", "venv"]).arg(environment()))?;
    }
    let stamp = environment().join(format!("{}.installed", folder_name(requirements)?));
    install_once(requirements, &stamp, || {
        let mut pip = Command::new(&python);
        pip.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--require-hashes",
            "-r",
        ]);
        run(pip.arg(requirements))
    })?;
    Ok(python)
}

/// Installs what a package lock lists, and says where it is.
pub(super) fn npm_ci(folder: &Path) -> Result<PathBuf> {
    ensure_system(&NODE)?;
    let modules = folder.join("node_modules");
    install_once(&folder.join("package-lock.json"), &modules.join(".installed"), || {
        run(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(folder))
    })?;
    Ok(modules)
}

/// Builds a workspace of its own, which has one program, and says where that is.
pub(super) fn built(folder: &Path, program: &str) -> Result<PathBuf> {
    ensure_system(&OPENSSL)?;
    let target = root().join("target/test-env").join(folder_name(&folder.join("Cargo.toml"))?);
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--quiet", "--locked", "--manifest-path"]).arg(folder.join("Cargo.toml"));
    run(cargo.arg("--target-dir").arg(&target))?;
    Ok(target.join("debug").join(program))
}

pub(super) fn chromium() -> Result<PathBuf> {
    ensure_system(&CHROMIUM)?;
    // A browser driver wants the whole path.
    let found = Command::new("sh").args(["-c", "command -v chromium"]).output()?;
    Ok(PathBuf::from(String::from_utf8(found.stdout)?.trim()))
}

/// Where the programs of PostgreSQL are. Debian keeps those of a server out of the way, by their version.
pub(crate) fn postgres_programs() -> Result<PathBuf> {
    ensure_system(&POSTGRES)?;
    let newest = "command -v initdb || ls /usr/lib/postgresql/*/bin/initdb | sort -V | tail -n 1";
    let found = Command::new("sh").args(["-c", newest]).output()?;
    // What is on the path may be a link to it, which has not all the others beside it.
    let initdb = Path::new(String::from_utf8(found.stdout)?.trim()).canonicalize()?;
    Ok(initdb.parent().context("a program lies in a folder")?.to_owned())
}

/// What some of the receivers in the guide are written in. Nothing else needs it, so whoever cannot have it goes on
/// without: the tests of these receivers say that they were not run.
pub(super) fn try_receiver_runtimes() {
    for package in [&GO, &PHP] {
        if let Err(error) = ensure_system(package) {
            println!("{error:#}");
        }
    }
}

/// Installs unless the stamp says that exactly this list was installed before.
fn install_once(list: &Path, stamp: &Path, install: impl FnOnce() -> Result<()>) -> Result<()> {
    let wanted = fs::read(list).with_context(|| format!("cannot read {}", list.display()))?;
    if fs::read(stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    install()?;
    let folder = stamp.parent().context("a stamp lies in a folder")?;
    fs::create_dir_all(folder)?;
    fs::write(stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))
}

/// Makes sure of a system program. Only an administrator of a Debian machine, such as a CI container, is spared the
/// work: anybody else is told what to do.
fn ensure_system(package: &SystemPackage) -> Result<()> {
    if starts(package.probe) {
        return Ok(());
    }
    let list = package.packages.join(" ");
    if !(Path::new("/etc/debian_version").exists() && is_administrator()) {
        bail!("{} is missing; install it, on Debian with: apt-get install {list}", package.probe[0]);
    }
    run(Command::new("apt-get").args(["update", "-q"]))?;
    let mut install = Command::new("apt-get");
    install.args(["install", "-qy", "--no-install-recommends"]).args(package.packages);
    run(install.env("DEBIAN_FRONTEND", "noninteractive"))?;
    ensure!(starts(package.probe), "{} does not start although {list} is installed", package.probe[0]);
    Ok(())
}

pub(super) fn is_administrator() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout.trim_ascii() == b"0")
}

fn starts(command: &[&str]) -> bool {
    let mut probe = Command::new(command[0]);
    probe.args(&command[1..]).stdout(Stdio::null()).stderr(Stdio::null());
    probe.status().is_ok_and(|status| status.success())
}

fn folder_name(path: &Path) -> Result<String> {
    let folder = path.parent().and_then(Path::file_name).context("a list lies in a folder")?;
    Ok(folder.to_string_lossy().into_owned())
}

fn environment() -> PathBuf {
    root().join("target/test-env/venv")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_changed_list_is_installed_again() {
        let folder = root().join("target/test-env/install-once");
        fs::create_dir_all(&folder).unwrap();
        let (list, stamp) = (folder.join("list"), folder.join("made/stamp"));
        let installs = |text: &str| {
            fs::write(&list, text).unwrap();
            let mut installed = false;
            install_once(&list, &stamp, || {
                installed = true;
                Ok(())
            })
            .unwrap();
            installed
        };
        let runs = [installs("a"), installs("a"), installs("b")];
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(runs, [true, false, true]);
    }

    #[test]
    fn a_failed_installation_is_tried_again() {
        let folder = root().join("target/test-env/install-fails");
        fs::create_dir_all(&folder).unwrap();
        let (list, stamp) = (folder.join("list"), folder.join("stamp"));
        fs::write(&list, "a").unwrap();
        let failed = install_once(&list, &stamp, || bail!("no network"));
        let stamped = stamp.exists();
        fs::remove_dir_all(&folder).unwrap();
        assert!(failed.is_err() && !stamped);
    }

    #[test]
    fn a_command_is_shown_as_one_would_type_it() {
        let mut command = Command::new(root().join("target/x"));
        command.args(["check", "bans"]);
        assert_eq!(show(&command), "target/x check bans");
        assert!(!starts(&["couplet-no-such-program"]));
    }
}

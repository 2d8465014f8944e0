//! Which apps are served: those of the configuration, else those of the data directory, else a first one.

use crate::config::{App, Config, ConfigError};
use std::io::Write;
use std::path::{Path, PathBuf};

/// The number of the app that is made when there is none.
const FIRST_SDKAPPID: u32 = 1_400_000_001;
const KEY_BYTES: usize = 32;

/// The apps, and the file they are from when that is not the configuration.
pub(super) fn apps(config: &Config) -> Result<(Vec<App>, Option<PathBuf>), ConfigError> {
    if !config.apps.is_empty() {
        return Ok((config.apps.clone(), None));
    }
    let path = config.data_dir.join("apps.toml");
    if !path.exists() {
        write_first(&path).map_err(|error| ConfigError::Unreadable(path.clone(), error))?;
    }
    let apps = Config::read_apps(&path)?;
    if apps.is_empty() {
        return Err(ConfigError::Unusable(format!(
            "{} declares no app: add one, or remove the file to have one made",
            path.display()
        )));
    }
    Ok((apps, Some(path)))
}

fn write_first(path: &Path) -> std::io::Result<()> {
    let mut key = [0_u8; KEY_BYTES];
    getrandom::fill(&mut key).map_err(std::io::Error::other)?;
    let key: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    let text = format!(
        "# Made at the first start, since no app was configured. Edit it, or move it into a file for --config.\n\
         [[app]]\nsdkappid = {FIRST_SDKAPPID}\nkey = \"{key}\"\nadmins = [\"administrator\"]\n\n\
         # Tell an app's backend what was said:\n# [app.callback]\n# url = \"http://127.0.0.1:18090/callback\"\n"
    );
    // Whoever can read the key can act as anybody.
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    // Under another name first, so that a file of the right name is always whole.
    let unfinished = path.with_extension("toml.new");
    let mut file = options.open(&unfinished)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&unfinished, path)?;
    let directory = path.parent().unwrap_or(Path::new("."));
    std::fs::File::open(directory)?.sync_all()
}

//! `--audit-log`, `--audit-webhook`, and `sysreel audit …`.

use super::args::Options;
use super::exit::Failure;
use crate::chisel::Library;
use crate::engine::Audit;
use crate::source::audit::MAX_VALUE;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Bytes of a line, or of what is sent at once, unless asked otherwise.
const LIMIT: usize = 32 << 20;

/// Fewer would refuse ordinary events.
const LEAST: u64 = 64 << 10;

/// What is to be taken in live; `None`: nothing. `path` is where the recording goes, if it is one.
pub(super) fn audit(options: &Options, path: Option<&Path>) -> Result<Option<Audit>, Failure> {
    let tls = [
        ("--tls-cert", options.tls_cert.is_some()),
        ("--tls-key", options.tls_key.is_some()),
        ("--client-ca", options.client_ca.is_some()),
    ];
    let needs = |flag: &str, other: &str, help: &str| {
        Err(Failure::new(format!("expected {other} with {flag}, found none"), help))
    };
    if let (None, Some((flag, _))) = (&options.audit_webhook, tls.iter().find(|(_, given)| *given)) {
        return needs(flag, "--audit-webhook ADDRESS", "it is about who may send events there");
    }
    if options.audit_log.is_none() && options.audit_state.is_some() {
        return needs("--audit-state", "--audit-log LOG", "it keeps how far the log was taken over");
    }
    if options.audit_log.is_none() && options.audit_webhook.is_none() {
        return match options.audit_limit {
            Some(_) => {
                needs("--audit-limit", "--audit-log or --audit-webhook", "it is the most bytes of an event there")
            }
            None => Ok(None),
        };
    }
    if !options.read.is_empty() {
        return Err(Failure::new(
            "`-r` and live audit events exclude each other",
            "-r FILE reads a log that is there; --audit-log and --audit-webhook take in what comes",
        ));
    }
    if path.is_some_and(super::export::is_scap) {
        return Err(Failure::new(
            "expected a reel for audit events, found a scap file",
            "record a reel with -w FILE.reel; -r FILE.reel -w FILE.scap writes the other",
        ));
    }
    let log = options.audit_log.as_deref().map(absolute).transpose()?;
    let state = options.audit_state.clone().or_else(|| log.as_ref().and(path).and_then(beside));
    Ok(Some(Audit {
        log,
        state,
        #[cfg(feature = "linux")]
        webhook: listen(options)?,
        limit: limit(options)?,
        is_alone: options.command.is_empty() && !options.ebpf,
    }))
}

/// Another folder to work in must not make another log of it. The log itself may come later; its folder is what is watched.
fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    let failed = |error| Failure::new(format!("{}: {error}", path.display()), "name a log");
    let path = std::path::absolute(path).map_err(failed)?;
    let folder = path.parent().unwrap_or(Path::new("/"));
    if let Err(error) = std::fs::metadata(folder)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        return Err(Failure::new(format!("{}: {error}", folder.display()), "run it as a user who may read the folder"));
    }
    if !folder.is_dir() {
        return Err(Failure::new(
            format!(
                "{}: expected a log in a folder that is there, found no folder {}",
                path.display(),
                folder.display()
            ),
            "give what --audit-log-path of the API server says",
        ));
    }
    Ok(path)
}

/// Where the position stands beside a recording; nowhere for what is no file.
fn beside(path: &Path) -> Option<PathBuf> {
    let is_file = path != Path::new("-") && std::fs::metadata(path).map_or(true, |about| about.is_file());
    let mut name = path.as_os_str().to_owned();
    name.push(".position");
    is_file.then(|| name.into())
}

fn limit(options: &Options) -> Result<usize, Failure> {
    match options.audit_limit {
        None => Ok(LIMIT),
        Some(bytes) if (LEAST..=MAX_VALUE as u64).contains(&bytes) => Ok(bytes as usize),
        Some(bytes) => Err(Failure::new(
            format!("expected --audit-limit from 64K to 64M, found {bytes} bytes"),
            "an event of a list of pods may have some MB",
        )),
    }
}

#[cfg(feature = "linux")]
fn listen(options: &Options) -> Result<Option<crate::source::audit::Listen>, Failure> {
    let Some(address) = &options.audit_webhook else { return Ok(None) };
    let tls = match (&options.tls_cert, &options.tls_key) {
        (Some(chain), Some(key)) => Some((chain.clone(), key.clone())),
        (None, None) if options.client_ca.is_none() => None,
        _ => {
            return Err(Failure::new(
                "expected --tls-cert and --tls-key together, found one of them or --client-ca alone",
                "clients are known by certificates only where the server has one, too",
            ));
        }
    };
    Ok(Some(crate::source::audit::Listen { address: address.clone(), tls, client_ca: options.client_ca.clone() }))
}

/// `sysreel audit …`.
pub(super) fn subcommand(options: &Options, library: &Library, out: &mut dyn Write) -> Result<(), Failure> {
    match options.words.get(1).map(String::as_str) {
        Some("kubeconfig") => kubeconfig(options, out),
        Some("policy") => super::policy::policy(options, &options.words[2..], library, out),
        found => Err(Failure::new(
            format!("expected kubeconfig or policy behind `audit`, found {}", found.unwrap_or("nothing")),
            "`audit kubeconfig ADDRESS` writes the API server's side of the webhook; `audit policy check FILE` reads a policy",
        )),
    }
}

/// The API server's side of the webhook: the file on standard output, and its flags on standard error.
fn kubeconfig(options: &Options, out: &mut dyn Write) -> Result<(), Failure> {
    let [_, _, address] = options.words.as_slice() else {
        return Err(Failure::new(
            "expected `audit kubeconfig ADDRESS`, found something else",
            "such as `sysreel audit kubeconfig https://10.0.0.5:9099 --ca ca.pem --client-cert api.pem --client-key api.key`",
        ));
    };
    let secured = options.ca.is_some() || options.client_cert.is_some();
    let url = match address.split_once("://") {
        Some(("http" | "https", _)) => address.clone(),
        Some((other, _)) => {
            return Err(Failure::new(
                format!("expected http:// or https://, found `{other}://`"),
                "the API server speaks HTTP",
            ));
        }
        None => format!("{}://{address}", if secured { "https" } else { "http" }),
    };
    if secured && url.starts_with("http://") {
        return Err(Failure::new(
            "expected https:// with --ca or --client-cert, found http://",
            "leave the certificates out, or use https://",
        ));
    }
    let is_bare = url.split_once("://").is_some_and(|(_, rest)| !rest.contains('/'));
    let url = if is_bare { format!("{url}/k8s-audit") } else { url };
    if options.client_cert.is_some() != options.client_key.is_some() {
        return Err(Failure::new(
            "expected --client-cert and --client-key together, found one of them",
            "the API server shows the one and proves it with the other",
        ));
    }
    let text = |path: &Path| quoted(&path.to_string_lossy());
    let mut config =
        format!("apiVersion: v1\nkind: Config\nclusters:\n- name: sysreel\n  cluster:\n    server: {}\n", quoted(&url));
    if let Some(ca) = &options.ca {
        config.push_str(&format!("    certificate-authority: {}\n", text(&absolute(ca)?)));
    }
    config.push_str("users:\n- name: kube-apiserver\n  user:");
    match (&options.client_cert, &options.client_key) {
        (Some(cert), Some(key)) => config.push_str(&format!(
            "\n    client-certificate: {}\n    client-key: {}\n",
            text(&absolute(cert)?),
            text(&absolute(key)?)
        )),
        _ => config.push_str(" {}\n"),
    }
    config.push_str("contexts:\n- name: sysreel\n  context:\n    cluster: sysreel\n    user: kube-apiserver\ncurrent-context: sysreel\n");
    out.write_all(config.as_bytes())?;
    super::exit::say(
        "note: keep this as a file that the API server can read, and start kube-apiserver with:\n  --audit-policy-file=POLICY.yaml\n  --audit-webhook-config-file=THIS.yaml\n  --audit-webhook-mode=batch\n  --audit-webhook-batch-max-wait=5s\n  --audit-webhook-initial-backoff=2s",
    );
    Ok(())
}

/// A YAML string; JSON's is one.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

//! The `sysreel` binary: see the library's `cli`.

fn main() -> std::process::ExitCode {
    std::process::ExitCode::SUCCESS
}

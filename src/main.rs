//! The `sysreel` binary: see the library's `cli`.

fn main() -> std::process::ExitCode {
    sysreel::cli::run(std::env::args_os())
}

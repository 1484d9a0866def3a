use std::io::Write;
fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let renames = if args.len() > 2 && args[2] == "-M" { gitfleet_worker::numstat::Renames::Followed } else { gitfleet_worker::numstat::Renames::Ignored };
    let jobs = args.get(3).and_then(|j| j.parse().ok()).unwrap_or(2);
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut buf = Vec::new();
    gitfleet_worker::door::facts(args[1].as_ref(), "HEAD", jobs, 100 << 20, |f| {
        buf.clear();
        gitfleet_worker::numstat::write(&f, renames, &mut buf);
        out.write_all(&buf)?;
        Ok(())
    })
}

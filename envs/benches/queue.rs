//! Customers per second of the plain queue: `cargo bench -p tierwise-envs --bench queue`.
//!
//! One iteration is a whole run of 1,000,000 customers on one thread, measures included; divan prints items (customers)
//! per second.

use divan::Bencher;
use divan::counter::ItemsCount;
use tierwise_envs::queue::{Queue, QueueConfig};

const CUSTOMERS: u64 = 1_000_000;

fn main() {
    divan::main();
}

/// Queue at load 0.75, or another where the text says so.
fn queue(text: &str) -> Queue {
    let config: QueueConfig = toml::from_str(&format!("customers = {CUSTOMERS}\n{text}"))
        .expect("the texts here are complete");
    config.check().expect("the texts here are in range")
}

fn run(bencher: Bencher, text: &str) {
    let queue = queue(text);
    bencher
        .counter(ItemsCount::new(CUSTOMERS))
        .bench_local(|| queue.simulate());
}

const EXPONENTIAL: &str = "service = { kind = \"exponential\", mean_s = 300.0 }\n";
const IMPATIENT: &str = "patience = { kind = \"exponential\", mean_s = 120.0 }\n";

/// M/M/n.
#[divan::bench(args = [1, 20, 200], sample_count = 20)]
fn m_m_n(bencher: Bencher, servers: u32) {
    let rate = 0.8 * f64::from(servers) / 300.0;
    run(
        bencher,
        &format!("servers = {servers}\narrival_rate_per_s = {rate}\n{EXPONENTIAL}"),
    );
}

/// M/M/n+M.
#[divan::bench(args = [1, 20, 200], sample_count = 20)]
fn m_m_n_m(bencher: Bencher, servers: u32) {
    let rate = 0.95 * f64::from(servers) / 300.0;
    run(
        bencher,
        &format!("servers = {servers}\narrival_rate_per_s = {rate}\n{EXPONENTIAL}{IMPATIENT}"),
    );
}

/// Lognormal service and patience.
#[divan::bench(sample_count = 20)]
fn lognormal(bencher: Bencher) {
    run(
        bencher,
        "servers = 20\narrival_rate_per_s = 0.06\nservice = { kind = \"lognormal\", mean_s = 300.0, sd_s = 200.0 }\n\
         patience = { kind = \"lognormal\", mean_s = 120.0, sd_s = 90.0 }\n",
    );
}

/// Two priorities.
#[divan::bench(sample_count = 20)]
fn priorities(bencher: Bencher) {
    run(
        bencher,
        &format!(
            "servers = 20\narrival_rate_per_s = 0.06\n{EXPONENTIAL}{IMPATIENT}\
             classes = [{{ share = 0.3, priority = 1 }}, {{ share = 0.7, priority = 2 }}]\n"
        ),
    );
}

//! Prints simulated values beside exact ones for the queues in `cases.rs`:
//! `cargo run --release --example agreement -p tierwise-envs [CUSTOMERS [SEED]]`.
//!
//! One row for each queue and measure with a known value; ends with an error when a value lies more than 4 standard errors
//! from it.

#![expect(clippy::print_stdout, reason = "an example shows its result")]

mod cases;

use std::error::Error;

use tierwise_envs::queue::{QueueConfig, compare, theory};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut number = |default: u64| -> Result<u64, Box<dyn Error>> {
        Ok(arguments.next().map_or(Ok(default), |text| text.parse())?)
    };
    let (customers, seed) = (number(5_000_000)?, number(1)?);
    println!("| queue | measure | simulated | standard error | exact | z |");
    println!("|---|---|---|---|---|---|");
    let (mut rows, mut worst, mut squares) = (0, 0.0_f64, 0.0);
    for (index, (name, text)) in (0..).zip(cases::CASES) {
        // Seeds of their own, or all queues would share one run of luck.
        let seed = seed + index;
        let text = format!("customers = {customers}\nseed = {seed}\n{text}");
        let queue = toml::from_str::<QueueConfig>(&text)?.check()?;
        let result = queue.simulate();
        let exact = theory(&queue);
        for row in compare(&result, exact.as_ref()) {
            let (Some(value), Some(error)) = (row.simulated.value, row.simulated.standard_error)
            else {
                continue;
            };
            let (Some(exact), Some(z)) = (row.exact, row.z()) else {
                continue;
            };
            let class = row
                .class
                .map_or(String::new(), |k| format!(", class {}", k + 1));
            println!(
                "| {name}{class} | {} | {value:.6} | {error:.6} | {exact:.6} | {z:+.2} |",
                row.measure
            );
            rows += 1;
            worst = worst.max(z.abs());
            squares += z * z;
        }
    }
    let spread = (squares / f64::from(rows)).sqrt();
    println!("\n{rows} values; largest |z| {worst:.2}; root mean square of z {spread:.2}");
    if worst > 4.0 {
        return Err("a value lies more than 4 standard errors from the exact one".into());
    }
    Ok(())
}

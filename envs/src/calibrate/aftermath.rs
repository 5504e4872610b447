//! What happens afterwards: clicks, purchases, conversations that come back.

use super::customers::CLASSES;
use super::estimate::Estimate;
use super::parameter::{Table, digits};
use super::rows::Rows;
use super::satisfaction::{Ended, Model};
use super::solving::{Led, TIERS, led};
use crate::centre::Moments;
use crate::shop::ShopConfig;

const CLICK_WINDOW_S: f64 = 86_400.0;
const WEEK_S: f64 = 7.0 * 86_400.0;
const UNTRACKED: &str = "clicks and purchases were not tracked (`outcomes_tracked`)";

/// Chances of clicks and purchases per unit of satisfaction, their delays, and reopening.
pub(super) fn fit(rows: &Rows, model: &Model, shop: &mut ShopConfig, table: &mut Table) {
    delays(rows, shop, table);
    chances(rows, model, shop, table);
    orders(rows, shop, table);
    reopening(rows, shop, table);
}

/// Mean of an exponential time seen only within a window: x̄ = θ − w/(e^{w/θ} − 1), solved by bisection; its error is that of
/// the information n (1/θ² − (w/θ²)² e^{w/θ}/(e^{w/θ} − 1)²).
fn truncated_mean(times: &Moments, window_s: f64) -> Option<Estimate> {
    let mean = times.mean().filter(|m| *m > 0.0)?;
    let seen = |theta: f64| theta - window_s / (window_s / theta).exp_m1();
    // Half the window is the mean of an endless law seen through it: nothing longer can be told.
    if mean >= 0.49 * window_s {
        return None;
    }
    let (mut low, mut high) = (mean, 50.0 * window_s);
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if seen(middle) < mean {
            low = middle;
        } else {
            high = middle;
        }
    }
    let ratio = window_s / low;
    let lost = ratio * ratio * ratio.exp() / ratio.exp_m1().powi(2);
    let lost = if lost.is_finite() { lost } else { 0.0 };
    let n = times.n as f64;
    Some(Estimate {
        value: low,
        standard_error: low / (n * (1.0 - lost).max(1e-3)).sqrt(),
        n: times.n,
    })
}

fn delays(rows: &Rows, shop: &mut ShopConfig, table: &mut Table) {
    let (mut clicks, mut purchases) = (Moments::default(), Moments::default());
    for contact in rows.contacts.iter().filter(|c| c.tracked) {
        clicks.add(contact.click_s.unwrap_or(f64::NAN));
        purchases.add(contact.purchase_s.unwrap_or(f64::NAN));
    }
    let after = &mut shop.aftermath;
    let range = (1e-3, WEEK_S);
    table.single(
        "shop.aftermath.click_delay_s",
        &mut after.click_delay_s,
        truncated_mean(&clicks, CLICK_WINDOW_S),
        range,
        UNTRACKED,
    );
    table.single(
        "shop.aftermath.conversion_delay_s",
        &mut after.conversion_delay_s,
        truncated_mean(&purchases, WEEK_S),
        range,
        UNTRACKED,
    );
}

/// Share of delays that fall into what is left of a window.
fn within(window_s: f64, length_s: f64, mean_s: f64) -> f64 {
    -(-(window_s - length_s).max(0.0) / mean_s).exp_m1()
}

fn chances(rows: &Rows, model: &Model, shop: &mut ShopConfig, table: &mut Table) {
    let after = &mut shop.aftermath;
    let mut clicks: [Chance; 3] = Default::default();
    let (mut clicked, mut unclicked) = (Chance::default(), Chance::default());
    for contact in rows.contacts.iter().filter(|c| c.tracked) {
        let (Some(ended), Some(class)) = (model.ended(rows, contact), contact.class) else {
            continue;
        };
        let (mean, square) = model.moments(&ended);
        let seen = within(CLICK_WINDOW_S, contact.length_s, after.click_delay_s);
        clicks[class.index()].add(mean * seen, contact.click_s.is_some(), ended);
        let seen = within(WEEK_S, contact.length_s, after.conversion_delay_s);
        let bought = contact.purchase_s.is_some();
        // Those who clicked are more content than those who did not: E[S²]/E[S], since clicks go with S.
        let chance = after.click[class.index()];
        if contact.click_s.is_some() {
            clicked.add(square / mean.max(1e-9) * seen, bought, ended);
        } else {
            let rest = 1.0 - chance * mean;
            unclicked.add(
                (mean - chance * square) / rest.max(1e-9) * seen,
                bought,
                ended,
            );
        }
    }
    let own: Vec<Option<Estimate>> = clicks.iter().map(|c| c.estimate(model)).collect();
    let mut all = Chance::default();
    clicks.iter().for_each(|c| all.merge(c));
    table.list(
        "shop.aftermath.click",
        &mut after.click,
        &CLASSES,
        &own,
        all.estimate(model),
        (0.0, 1.0),
        UNTRACKED,
    );
    for (key, place, chance) in [
        (
            "shop.aftermath.convert_clicked",
            &mut after.convert_clicked,
            clicked,
        ),
        (
            "shop.aftermath.convert_unclicked",
            &mut after.convert_unclicked,
            unclicked,
        ),
    ] {
        table.single(key, place, chance.estimate(model), (0.0, 1.0), UNTRACKED);
    }
}

/// A chance per unit of satisfaction: events over Σ E[S].
#[derive(Debug, Default)]
struct Chance {
    n: u64,
    events: u64,
    units: f64,
    ended: Vec<Ended>,
}

impl Chance {
    fn add(&mut self, units: f64, happened: bool, ended: Ended) {
        self.n += 1;
        self.events += u64::from(happened);
        self.units += units;
        self.ended.push(ended);
    }

    fn merge(&mut self, other: &Self) {
        self.n += other.n;
        self.events += other.events;
        self.units += other.units;
        self.ended.extend(&other.ended);
    }

    /// The error joins that of the events and that of the satisfaction they are divided by.
    fn estimate(&self, model: &Model) -> Option<Estimate> {
        let share = Estimate::share(self.events, self.n)?;
        (self.units > 0.0).then(|| {
            let value = self.events as f64 / self.units;
            let counted = share.standard_error * self.n as f64 / self.units;
            let modelled = value * model.variance_of_sum(&self.ended).max(0.0).sqrt() / self.units;
            Estimate {
                value,
                standard_error: counted.hypot(modelled),
                n: self.n,
            }
        })
    }
}

fn orders(rows: &Rows, shop: &mut ShopConfig, table: &mut Table) {
    let mut values = Moments::default();
    for contact in &rows.contacts {
        values.add(contact.order_value.filter(|v| *v > 0.0).unwrap_or(f64::NAN));
    }
    if let Some(currency) = &rows.currency {
        shop.aftermath.currency.clone_from(currency);
    }
    table.single(
        "shop.aftermath.order_value",
        &mut shop.aftermath.order_value,
        Estimate::mean(&values),
        (1e-6, 1e9),
        "no orders with a value",
    );
}

fn reopening(rows: &Rows, shop: &mut ShopConfig, table: &mut Table) {
    let mut solved = [[0_u64; 2]; 3];
    let mut unsolved = [0_u64; 2];
    for contact in &rows.contacts {
        let (Some(reopened), Some(last)) = (contact.reopened, rows.answers(contact).last()) else {
            continue;
        };
        let counts = match led(rows, contact, rows.answers(contact).len() - 1) {
            Led::Solved => &mut solved[last.tier.index()],
            Led::Left => &mut unsolved,
            Led::Again | Led::Unknown => continue,
        };
        counts[0] += u64::from(reopened);
        counts[1] += 1;
    }
    let lacking = "the log does not tell whether conversations came back (`reopened_7d`)";
    let own = solved.map(|[k, n]| Estimate::share(k, n));
    let all = Estimate::share(
        solved.iter().map(|c| c[0]).sum(),
        solved.iter().map(|c| c[1]).sum(),
    );
    let after = &mut shop.aftermath;
    table.list(
        "shop.aftermath.reopen_solved",
        &mut after.reopen_solved,
        &TIERS,
        &own,
        all,
        (0.0, 1.0),
        lacking,
    );
    table.single(
        "shop.aftermath.reopen_unsolved",
        &mut after.reopen_unsolved,
        Estimate::share(unsolved[0], unsolved[1]),
        (0.0, 1.0),
        lacking,
    );
    after.order_value = digits(after.order_value, 6);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_truncated_exponential_gives_its_mean_back() {
        // Mean of an exponential of mean 50,000 s below 86,400 s, in closed form: θ − w/(e^{w/θ} − 1).
        let seen = 50_000.0 - 86_400.0 / (86_400.0_f64 / 50_000.0).exp_m1();
        let times = Moments {
            n: 400,
            sum: 400.0 * seen,
            squares: 0.0,
        };
        let mean = truncated_mean(&times, 86_400.0).unwrap();
        assert!((mean.value - 50_000.0).abs() < 1e-3, "{mean:?}");
        // A window that cuts nothing: θ/√n.
        let times = Moments {
            n: 400,
            sum: 400.0 * 60.0,
            squares: 0.0,
        };
        let mean = truncated_mean(&times, 86_400.0).unwrap();
        assert!((mean.value - 60.0).abs() < 1e-9 && (mean.standard_error - 3.0).abs() < 1e-9);
    }
}

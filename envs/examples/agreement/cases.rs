/// Queues with a known answer: a name, and the keys of `[queue]` besides customers and seed.
pub(crate) const CASES: &[(&str, &str)] = &[
    (
        "M/M/1, load 0.5",
        "servers = 1\narrival_rate_per_s = 0.05\nservice = { kind = \"exponential\", mean_s = 10 }",
    ),
    (
        "M/M/1, load 0.8",
        "servers = 1\narrival_rate_per_s = 0.08\nservice = { kind = \"exponential\", mean_s = 10 }",
    ),
    (
        "M/M/1, load 0.95",
        "servers = 1\narrival_rate_per_s = 0.095\nservice = { kind = \"exponential\", mean_s = 10 }",
    ),
    (
        "M/M/5, load 0.7",
        "servers = 5\narrival_rate_per_s = 0.0583\nservice = { kind = \"exponential\", mean_s = 60 }",
    ),
    (
        "M/M/20, load 0.75",
        "servers = 20\narrival_rate_per_s = 0.05\nservice = { kind = \"exponential\", mean_s = 300 }",
    ),
    (
        "M/M/20, load 0.95",
        "servers = 20\narrival_rate_per_s = 0.0633\nservice = { kind = \"exponential\", mean_s = 300 }",
    ),
    (
        "M/M/500, load 0.98",
        "servers = 500\narrival_rate_per_s = 1.6333\nservice = { kind = \"exponential\", mean_s = 300 }",
    ),
    (
        "M/M/50+M, the published example",
        "servers = 50\narrival_rate_per_s = 0.8\nservice = { kind = \"exponential\", mean_s = 60 }\n\
         patience = { kind = \"exponential\", mean_s = 120 }",
    ),
    (
        "M/M/1+M, load 1.5",
        "servers = 1\narrival_rate_per_s = 0.15\nservice = { kind = \"exponential\", mean_s = 10 }\n\
         patience = { kind = \"exponential\", mean_s = 40 }",
    ),
    (
        "M/M/20+M, load 0.9",
        "servers = 20\narrival_rate_per_s = 0.06\nservice = { kind = \"exponential\", mean_s = 300 }\n\
         patience = { kind = \"exponential\", mean_s = 120 }",
    ),
    (
        "M/M/200+M, load 1.1",
        "servers = 200\narrival_rate_per_s = 0.73333\nservice = { kind = \"exponential\", mean_s = 300 }\n\
         patience = { kind = \"exponential\", mean_s = 300 }",
    ),
    (
        "M/M/20+D",
        "servers = 20\narrival_rate_per_s = 0.065\nservice = { kind = \"exponential\", mean_s = 300 }\n\
         patience = { kind = \"deterministic\", mean_s = 60 }",
    ),
    (
        "M/M/20+lognormal",
        "servers = 20\narrival_rate_per_s = 0.065\nservice = { kind = \"exponential\", mean_s = 300 }\n\
         patience = { kind = \"lognormal\", mean_s = 120, sd_s = 150 }",
    ),
    (
        "M/M/10+empirical",
        "servers = 10\narrival_rate_per_s = 0.04\nservice = { kind = \"exponential\", mean_s = 300 }\n\
         patience = { kind = \"empirical\", samples_s = [0, 15, 15, 40, 90, 400] }",
    ),
    (
        "M/M/10/10",
        "servers = 10\narrival_rate_per_s = 0.03\nservice = { kind = \"exponential\", mean_s = 300 }\n\
         patience = { kind = \"deterministic\", mean_s = 0 }",
    ),
    (
        "M/D/10/10",
        "servers = 10\narrival_rate_per_s = 0.03\nservice = { kind = \"deterministic\", mean_s = 300 }\n\
         patience = { kind = \"deterministic\", mean_s = 0 }",
    ),
    (
        "M/lognormal/10/10",
        "servers = 10\narrival_rate_per_s = 0.03\nservice = { kind = \"lognormal\", mean_s = 300, sd_s = 600 }\n\
         patience = { kind = \"deterministic\", mean_s = 0 }",
    ),
    (
        "M/D/1, load 0.8",
        "servers = 1\narrival_rate_per_s = 0.08\nservice = { kind = \"deterministic\", mean_s = 10 }",
    ),
    (
        "M/D/10, load 0.9",
        "servers = 10\narrival_rate_per_s = 0.15\nservice = { kind = \"deterministic\", mean_s = 60 }",
    ),
    (
        "M/lognormal/1, load 0.7",
        "servers = 1\narrival_rate_per_s = 0.07\nservice = { kind = \"lognormal\", mean_s = 10, sd_s = 12 }",
    ),
    (
        "M/empirical/1, load 0.7",
        "servers = 1\narrival_rate_per_s = 0.07\nservice = { kind = \"empirical\", samples_s = [2, 5, 8, 25] }",
    ),
    (
        "M/M/1, two priorities",
        "servers = 1\narrival_rate_per_s = 0.08\nservice = { kind = \"exponential\", mean_s = 10 }\n\
         classes = [{ share = 0.3, priority = 1 }, { share = 0.7, priority = 2 }]",
    ),
    (
        "M/M/10, three classes, two of one priority",
        "servers = 10\narrival_rate_per_s = 0.03\nservice = { kind = \"exponential\", mean_s = 300 }\n\
         classes = [{ share = 0.5, priority = 7 }, { share = 0.2, priority = 2 }, { share = 0.3, priority = 7 }]",
    ),
    (
        "M/D/1, two priorities",
        "servers = 1\narrival_rate_per_s = 0.08\nservice = { kind = \"deterministic\", mean_s = 10 }\n\
         classes = [{ share = 0.4, priority = 1 }, { share = 0.6, priority = 2 }]",
    ),
    (
        "M/M/20+M, two priorities",
        "servers = 20\narrival_rate_per_s = 0.07\nservice = { kind = \"exponential\", mean_s = 300 }\n\
         patience = { kind = \"exponential\", mean_s = 120 }\n\
         classes = [{ share = 0.3, priority = 1 }, { share = 0.7, priority = 2 }]",
    ),
];

"""Customers per second of Ciw on the queues of envs/benches/queue.rs with 20 servers: name, then thousands a second.

Ciw's best of several runs counts, in processor time, which leaves out what other work on the machine takes.
"""

import time

import ciw

CUSTOMERS = 10_000
RUNS = 5
SERVERS = 20
MEAN_SERVICE_S = 300.0
MEAN_PATIENCE_S = 120.0


def network(load, impatient):
    more = {}
    if impatient:
        more["reneging_time_distributions"] = [ciw.dists.Exponential(rate=1 / MEAN_PATIENCE_S)]
    return ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(rate=load * SERVERS / MEAN_SERVICE_S)],
        service_distributions=[ciw.dists.Exponential(rate=1 / MEAN_SERVICE_S)],
        number_of_servers=[SERVERS],
        **more,
    )


def main():
    for name, load, impatient in [("m_m_n", 0.8, False), ("m_m_n_m", 0.95, True)]:
        best = 0.0
        for seed in range(RUNS):
            ciw.seed(seed)
            simulation = ciw.Simulation(network(load, impatient))
            began = time.process_time()
            simulation.simulate_until_max_customers(CUSTOMERS, method="Arrive")
            best = max(best, CUSTOMERS / (time.process_time() - began) / 1e3)
        print(name, best)


if __name__ == "__main__":
    main()

"""The meta-ensemble: forecasts of three models fused into one score, and what follows from it."""

"""History rows -> engine -> Prediction rows; the only caller of replenish."""

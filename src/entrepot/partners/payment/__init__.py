"""Payment gateways: what each must be able to do (`port`), and a file per vendor."""

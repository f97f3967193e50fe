"""What other programs call: the customers API, provider webhooks, health and metrics."""

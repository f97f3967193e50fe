"""What other tools say: alerts become suggestions, which a person declares from or dismisses."""

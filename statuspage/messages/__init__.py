"""Facts to text for an audience: templates, rendering, previews and checks."""

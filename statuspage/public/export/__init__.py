"""The public site as files, kept in a folder or an S3 bucket that others serve."""

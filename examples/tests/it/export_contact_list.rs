//! The example that tells the whole story.

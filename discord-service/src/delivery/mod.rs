//! From the stream to Discord: one lane per channel.

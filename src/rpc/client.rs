//! Placeholder while the floor is built.

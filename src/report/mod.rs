//! Time to engagement, reviews, pictures: what the journal says about how fast people were found, and what held them
//! up. Everything here is computed from journals, so that a figure can be traced to the lines it was made from.

pub mod binomial;
pub mod story;
pub mod survival;

pub use story::Story;

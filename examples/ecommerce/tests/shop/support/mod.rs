mod answer;
mod backing;
mod client;
mod command;
mod load;
mod shop;
mod turns;

pub(crate) use answer::Answer;
pub(crate) use backing::Backing;
pub(crate) use client::Client;
pub(crate) use command::{Ended, run_to_end, run_within, shop_command};
pub(crate) use load::Load;
pub(crate) use shop::Shop;
pub(crate) use turns::Turns;

//! What the carriers do in a real browser; README.md has the table of the cases.

mod b01_no_signal;
mod b02_signals;
mod b04_forms;
mod b05_switched_on;
mod b06_switched_off;
mod b07_tabs;
mod b08_faked;
mod b09_tossing;
mod b10_own_tokens;
mod b11_forgery;
mod b12_origins;
mod b14_localhost;
mod b15_races;
mod b16_crowd;
mod b17_sizes;
mod b18_logout;
mod b19_injection;
mod looks;

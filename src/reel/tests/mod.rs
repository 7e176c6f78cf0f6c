//! A reel written, cut and flipped anywhere, gives back what is whole and says what is not.

mod damage;
mod documented;
mod index;
mod sample;
mod whole;

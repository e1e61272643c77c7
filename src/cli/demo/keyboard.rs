//! The viewer's keys, one press at a time. The terminal is in raw mode while the keyboard is open.

use crate::cli::terminal::give_back;
use crossterm::{
    event::{Event, KeyCode, KeyModifiers, poll, read},
    terminal::enable_raw_mode,
};
use std::time::Duration;
use tokio::sync::mpsc;

/// How often the thread that reads keys checks whether they are still needed.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How many key presses may wait; more are dropped.
const PRESSES_MAX: usize = 64;

/// A key that the viewer pressed.
#[derive(Debug, Clone, Copy)]
pub enum ViewerKey {
    /// Answer for this role.
    Answer(&'static str),
    /// Quit the demo.
    Quit,
}

/// The viewer's keyboard; it gives no keys if the demo is unattended.
pub struct Keyboard {
    keys: Option<mpsc::Receiver<ViewerKey>>,
}

impl Keyboard {
    /// Opens it, if there is a viewer.
    pub fn open(attended: bool) -> Self {
        let keys = (attended && enable_raw_mode().is_ok()).then(|| {
            let (sender, receiver) = mpsc::channel(PRESSES_MAX);
            // A separate thread, because a key press cannot be awaited. It ends by itself; nobody waits for it.
            std::thread::spawn(move || listen(&sender));
            receiver
        });
        Self { keys }
    }

    /// The next key; never returns if there is no viewer.
    pub async fn next(&mut self) -> ViewerKey {
        let pressed = match &mut self.keys {
            Some(keys) => keys.recv().await,
            None => None,
        };
        match pressed {
            Some(key) => key,
            None => std::future::pending().await,
        }
    }
}

impl Drop for Keyboard {
    fn drop(&mut self) {
        if self.keys.is_some() {
            give_back();
        }
    }
}

fn listen(keys: &mpsc::Sender<ViewerKey>) {
    while !keys.is_closed() {
        if poll(LOOK_EVERY).unwrap_or(false)
            && let Ok(Event::Key(key)) = read()
            && let Some(key) = meaning(key.code, key.modifiers)
        {
            // Extra key presses are dropped.
            let _ = keys.try_send(key);
        }
    }
}

fn meaning(code: KeyCode, modifiers: KeyModifiers) -> Option<ViewerKey> {
    match code {
        KeyCode::Char('c') if modifiers.contains(KeyModifiers::CONTROL) => Some(ViewerKey::Quit),
        KeyCode::Char('q') => Some(ViewerKey::Quit),
        KeyCode::Char('t') => Some(ViewerKey::Answer("trader")),
        KeyCode::Char('c') => Some(ViewerKey::Answer("compliance")),
        KeyCode::Char('i') => Some(ViewerKey::Answer("it")),
        KeyCode::Char('h') => Some(ViewerKey::Answer("head-of-desk")),
        _ => None,
    }
}

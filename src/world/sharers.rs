//! [`Sharers`]: how many threads share each of something that has only a number here, such as their directories.

/// How many users each number has.
#[derive(Debug, Default)]
pub(super) struct Sharers {
    users: Vec<u32>,
    free: Vec<u32>,
}

impl Sharers {
    /// A new number with one user.
    pub(super) fn add(&mut self) -> u32 {
        if let Some(id) = self.free.pop() {
            self.users[id as usize] = 1;
            return id;
        }
        self.users.push(1);
        (self.users.len() - 1) as u32
    }

    /// One user more.
    pub(super) fn share(&mut self, id: u32) -> u32 {
        self.users[id as usize] += 1;
        id
    }

    /// One user less; a number without users is given out again.
    pub(super) fn release(&mut self, id: u32) {
        let users = &mut self.users[id as usize];
        *users = users.saturating_sub(1);
        if *users == 0 {
            self.free.push(id);
        }
    }

    /// A number of its own for one user of a shared one; the same where it is not shared.
    pub(super) fn unshare(&mut self, id: u32) -> u32 {
        if self.users(id) <= 1 {
            return id;
        }
        self.release(id);
        self.add()
    }

    /// How many users a number has.
    pub(super) fn users(&self, id: u32) -> u32 {
        self.users[id as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_without_users_is_given_out_again() {
        let mut sharers = Sharers::default();
        let a = sharers.add();
        assert_eq!(sharers.share(a), a);
        let own = sharers.unshare(a);
        assert_ne!(own, a);
        assert_eq!((sharers.users(a), sharers.unshare(a)), (1, a));
        sharers.release(a);
        assert_eq!(sharers.add(), a);
    }
}

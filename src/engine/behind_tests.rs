//! Requests find the same processes, however what is known of both comes.

use super::asked::{Action, Asked, Known, News, Request};
use super::behind::Behind;
use super::seen::{Proc, Seen};
use crate::query::made::Dice;

const SECOND: u64 = 1_000_000_000;
const PODS: u64 = 3;
const CONTAINERS: u64 = 5;

/// Something that becomes known.
#[derive(Debug, Clone)]
enum Fact {
    Asks(Box<Request>),
    Ends(usize, u64),
    Process(Proc, Option<u32>, Option<Proc>),
    Runs(u64, Proc, Vec<Vec<u8>>),
    Pod(u64),
    Container(u32, u64),
}

fn name(of: &str, number: u64) -> Vec<u8> {
    format!("{of}{number}").into_bytes()
}

fn request(number: usize, action: Action, time: u64, pod: u64, argv: Vec<Vec<u8>>) -> Request {
    Request {
        key: (name("id", number as u64), time),
        action,
        user: Vec::new(),
        impuser: Vec::new(),
        address: Vec::new(),
        claimed: Vec::new(),
        agent: Vec::new(),
        credential: Vec::new(),
        namespace: b"prod".to_vec(),
        pod: name("pod", pod),
        container: Vec::new(),
        argv,
        started: Some(time),
        ended: None,
        code: None,
    }
}

/// What was told so far, and what came of it.
struct Told {
    asked: Asked,
    seen: Seen,
    behind: Behind,
}

impl Told {
    fn new() -> Told {
        let mut seen = Seen::new(None);
        for container in 0..CONTAINERS {
            seen.made_container(&name("container", container), &name("uid", container % PODS));
        }
        Told { asked: Asked::new(false, true), seen, behind: Behind::default() }
    }

    fn tell(&mut self, fact: &Fact) {
        let asked = &mut self.asked;
        match fact.clone() {
            Fact::Asks(request) => {
                asked.news.requests.insert(asked.requests.len());
                asked.requests.push(*request);
            }
            Fact::Ends(number, time) => {
                if let Some(request) = asked.requests.get_mut(number) {
                    (request.ended, request.code) = (Some(time), Some(if number % 7 == 0 { 403 } else { 101 }));
                    asked.news.requests.insert(number);
                }
            }
            Fact::Process(proc, container, creator) => self.seen.made_member(proc, container, creator),
            Fact::Runs(time, proc, argv) => self.seen.made_start((time, proc), argv),
            Fact::Pod(pod) => {
                let of = (b"prod".to_vec(), name("pod", pod));
                asked.pods.insert(name("uid", pod), of.clone());
                asked.uids.insert(of.clone(), vec![name("uid", pod)]);
                asked.news.pods.insert(of);
            }
            Fact::Container(container, pod) => {
                let known = Known { namespace: b"prod".to_vec(), pod: name("pod", pod), name: b"main".to_vec() };
                asked.news.pods.insert((known.namespace.clone(), known.pod.clone()));
                asked.containers.insert(name("container", u64::from(container)), known);
            }
        }
    }

    fn settle(&mut self) {
        let news = std::mem::take(&mut self.asked.news);
        self.behind.settle(&self.asked, &mut self.seen, &news);
    }

    /// The request of each process, and what each request's answer rests on.
    fn answers(&self, procs: &[Proc]) -> (Vec<Option<usize>>, Vec<&'static str>) {
        let of = procs.iter().map(|&proc| self.behind.of(&self.seen, proc)).collect();
        (of, (0..self.asked.requests.len()).map(|number| self.behind.by(number)).collect())
    }
}

/// Requests, processes and what they run, in the order of time; what is known of pods comes at any time.
fn scene(dice: &mut Dice, count: u64) -> (Vec<Fact>, Vec<Proc>) {
    let (mut facts, mut procs, mut asks) = (Vec::new(), Vec::<Proc>::new(), 0);
    for step in 0..count {
        let time = 1000 * SECOND + step * SECOND / 3;
        let argv = vec![name("/bin/command", dice.roll(4)), b"-x".to_vec()];
        match dice.roll(10) {
            0 | 1 => {
                let action = [Action::Exec, Action::Exec, Action::Debug, Action::Attach][dice.roll(4) as usize];
                facts.push(Fact::Asks(Box::new(request(asks, action, time, dice.roll(PODS), argv))));
                asks += 1;
            }
            2 if asks > 0 => facts.push(Fact::Ends(dice.roll(asks as u64) as usize, time)),
            3 if dice.roll(8) == 0 => facts.push(Fact::Pod(dice.roll(PODS))),
            4 if dice.roll(8) == 0 => {
                let container = dice.roll(CONTAINERS);
                facts.push(Fact::Container(container as u32, container % PODS));
            }
            _ => {
                let proc = (0, 100 + step as u32, time);
                let parent = (!procs.is_empty()).then(|| procs[dice.roll(procs.len() as u64) as usize]);
                let container = Some(dice.roll(CONTAINERS) as u32);
                // It may only be known later where it is.
                let late = dice.roll(3) == 0;
                facts.push(Fact::Process(proc, container.filter(|_| !late), parent));
                let argv = if dice.roll(5) == 0 { [vec![b"/bin/sh".to_vec()], argv].concat() } else { argv };
                facts.push(Fact::Runs(time, proc, argv));
                if late {
                    facts.push(Fact::Process(proc, container, parent));
                }
                procs.push(proc);
            }
        }
    }
    (facts, procs)
}

#[test]
fn what_comes_bit_by_bit_gives_the_same_answers_as_all_at_once() {
    let mut joined = 0;
    for seed in 0..150 {
        let mut dice = Dice(seed);
        let (facts, procs) = scene(&mut dice, 200);
        let mut whole = Told::new();
        for fact in &facts {
            whole.tell(fact);
        }
        whole.settle();
        let mut parts = Told::new();
        for fact in &facts {
            parts.tell(fact);
            if dice.roll(3) == 0 {
                parts.settle();
            }
        }
        parts.settle();
        assert_eq!(parts.answers(&procs), whole.answers(&procs), "seed {seed}");
        joined += whole.answers(&procs).0.iter().flatten().count();
    }
    assert!(joined > 1_000, "{joined}");
}

#[test]
fn only_requests_about_which_something_is_new_are_looked_at_again() {
    const REQUESTS: usize = 5_000;
    let mut known = Told::new();
    known.tell(&Fact::Pod(0));
    for number in 0..REQUESTS {
        let time = 1000 * SECOND + number as u64 * SECOND / 5;
        let argv = vec![b"sh".to_vec(), b"-c".to_vec(), b"id".to_vec()];
        known.tell(&Fact::Asks(Box::new(request(number, Action::Exec, time, 0, argv.clone()))));
        let proc = (0, 100 + number as u32, time + SECOND / 10);
        known.tell(&Fact::Process(proc, Some(0), None));
        known.tell(&Fact::Runs(proc.2, proc, argv));
        known.settle();
        known.tell(&Fact::Ends(number, time + SECOND / 6));
        known.settle();
        assert!(number % 7 == 0 || known.behind.of(&known.seen, proc) == Some(number), "{number}");
    }
    // Twice each: when it comes, with what it runs, and when it ends. The refused ones leave what they had.
    let looks = known.behind.looks();
    assert!(looks < 3 * REQUESTS as u64, "{looks}");
    // Nothing new, nothing to look at.
    known.behind.settle(&known.asked, &mut known.seen, &News::default());
    assert_eq!(known.behind.looks(), looks);
}

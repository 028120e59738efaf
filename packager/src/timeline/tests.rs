use super::*;

const FRAME: Time = 40_000;

/// Pictures of 25 frames a second and sound in as many packets, at these times.
fn timeline(times: impl IntoIterator<Item = Time>) -> (Timeline, Vec<Placed>) {
    let mut timeline = Timeline::default();
    let mut pictures = Vec::new();
    for (n, time) in times.into_iter().enumerate() {
        let at = |time, position| Packet {
            shown: Some(time),
            decode: Some(time),
            duration: FRAME,
            position: Some(position),
            key: true,
            off: 0,
        };
        pictures.extend(timeline.push(0, Kind::Picture, at(time, n as u64 * 10)));
        timeline.push(1, Kind::Sound, at(time, n as u64 * 10 + 5));
    }
    pictures.extend(timeline.finish().into_iter().filter(|(id, _)| *id == 0).map(|(_, placed)| placed));
    (timeline, pictures)
}

fn frames(from: Time, count: Time) -> impl Iterator<Item = Time> {
    (0..count).map(move |n| from + n * FRAME)
}

#[test]
fn one_clock_is_its_own_timeline() {
    let (timeline, pictures) = timeline(frames(1_400_000, 250));
    assert_eq!((timeline.seams(), timeline.outliers(), pictures.len()), (0, 0, 250));
    assert!(timeline.stretches(0).is_empty() && timeline.stretches(1).is_empty());
}

#[test]
fn a_clock_that_starts_again_goes_on() {
    let check = |second: Time, shift: Time| {
        let (timeline, pictures) = timeline(frames(1_400_000, 125).chain(frames(second, 125)));
        assert_eq!((timeline.seams(), timeline.outliers(), pictures.len()), (1, 0, 250), "{second}");
        assert_eq!(timeline.seam_positions(), [1250], "{second}");
        for (stream, position) in [(0, 1250), (1, 1255)] {
            let stretches = timeline.stretches(stream);
            assert_eq!(stretches[1], Stretch { position, shift }, "{second}: {stretches:?}");
        }
    };
    check(1_400_000, 5_000_000);
    check(0, 6_400_000);
    // Hours later, and half a minute.
    check(7_206_400_000, -7_200_000_000);
    check(36_400_000, -30_000_000);
}

#[test]
fn a_single_wild_time_moves_nothing_else() {
    let check = |place: usize, wild: Time| {
        let times = frames(0, 250).enumerate().map(|(n, time)| if n == place { wild } else { time });
        let (timeline, pictures) = timeline(times);
        assert_eq!((timeline.seams(), pictures.len()), (0, 250), "{place}: {timeline:?}");
        let last = timeline.stretches(0).last().map_or(0, |stretch| stretch.shift);
        assert!(last == 0 || place == 249, "{place}");
    };
    check(100, 3_600_000_000);
    check(100, -3_600_000_000);
    check(249, 3_600_000_000);
    check(0, 3_600_000_000);
    // A second back, which other frames have too.
    check(100, 3_000_000);
    check(200, 6_900_000);
}

#[test]
fn slides_without_sound_stand_as_long_as_they_do() {
    let mut timeline = Timeline::default();
    let slide =
        |n: i64| Packet { shown: Some(n * 30_000_000), decode: Some(n * 30_000_000), ..Packet::default() };
    let mut placed: Vec<Placed> = (0..40).flat_map(|n| timeline.push(0, Kind::Picture, slide(n))).collect();
    placed.extend(timeline.finish().into_iter().map(|(_, placed)| placed));
    assert_eq!((timeline.seams(), timeline.outliers(), placed.len()), (0, 0, 40));
}

use super::*;

/// Scans `stream_index,pts_time,dts_time,duration_time,flags`; packets of a byte follow each other.
fn scan(lines: &str) -> Track {
    let mut scan = Scan::of([(0, Kind::Picture)].into());
    for (position, line) in lines.lines().enumerate() {
        let (times, flags) = line.rsplit_once(',').unwrap_or((line, ""));
        scan.line(&format!("{times},1,{position},{flags}"));
    }
    scan.finish();
    scan.track(0).unwrap().clone()
}

#[test]
fn frames_out_of_order_give_the_true_span() {
    let track = scan(
        "0,0.000000,-0.040000,0.040000,K_\n0,0.120000,0.000000,0.040000,__\n\
         0,0.040000,0.040000,0.040000,__\n0,0.080000,0.080000,0.040000,__\n\n",
    );
    assert_eq!((track.packets, track.first, track.last, track.end), (4, 0, 120_000, 160_000));
    assert_eq!(track.rate(), Some(25.0));
    assert!(!track.variable());
}

#[test]
fn the_first_time_may_be_wild_and_a_seam_is_no_distance_between_frames() {
    let line = |time: f64| format!("0,{time:.6},{time:.6},0.04,K_");
    let times = |from: f64| (0..50).map(move |n| from + f64::from(n) / 25.0);
    let lines = |times: Vec<f64>| times.into_iter().map(line).collect::<Vec<_>>().join("\n");
    let mut wild: Vec<f64> = times(0.0).collect();
    wild[0] = 91_000.0;
    let track = scan(&lines(wild));
    assert!(track.last - track.first < 2_000_000, "{track:?}");
    let twice: Vec<f64> = times(5.0).chain(times(0.0)).collect();
    let mut track = scan(&lines(twice));
    assert_eq!(track.rate(), Some(25.0));
    // The picture waits for a longer sound.
    track.place(&[0, -2_900_000]);
    assert_eq!(track.rate(), Some(25.0));
}

#[test]
fn packets_are_counted_by_second_from_the_start() {
    let mut scan = Scan::of([(0, Kind::Picture)].into()).counted_from(1_400_000);
    for n in 0..60_u32 {
        // 25 frames a second; rounding puts the 26th just before its second.
        let time = 1.4 + f64::from(n) / 25.0 - 0.0001;
        scan.line(&format!("0,{time:.6},{time:.6},0.04,100,{},K_", n * 100));
    }
    scan.finish();
    assert_eq!(scan.track(0).unwrap().counts, [25, 25, 10]);
    assert_eq!(scan.end_position(), 6000);
}

#[test]
fn packets_before_an_edit_lists_start_do_not_count() {
    let track = scan("0,-0.023220,-0.023220,0.023220,KD\n0,0.000000,0.000000,0.023220,K_");
    assert_eq!((track.packets, track.first, track.end), (1, 0, 23_220));
}

#[test]
fn decode_times_stand_in_where_presentation_times_lack() {
    let track = scan("0,N/A,1.000000,N/A,K_\n0,N/A,1.040000,0.040000,__\n0,N/A,N/A,N/A,__");
    assert_eq!((track.packets, track.first, track.end), (3, 1_000_000, 1_080_000));
}

#[test]
fn millisecond_rounding_is_not_variable_but_a_dropped_frame_is() {
    assert!(!scan("0,0,0,N/A,K_\n0,0.033,0.033,N/A,__\n0,0.067,0.067,N/A,__").variable());
    assert!(scan("0,0,0,N/A,K_\n0,0.033,0.033,N/A,__\n0,0.100,0.100,N/A,__").variable());
}

#[test]
fn a_source_that_drops_frames_keeps_its_cadence() {
    let times = [0, 33, 67, 133, 167, 267, 300, 400, 500, 600];
    let lines: Vec<String> = times.iter().map(|ms| format!("0,0.{ms:03},0.{ms:03},N/A,K_")).collect();
    let track = scan(&lines.join("\n"));
    assert!(track.variable());
    assert_eq!(track.spread.cadence().unwrap().round() as u32, 30);
}

#[test]
fn pictures_without_a_time_follow_those_before() {
    let track = scan(
        "0,0.58,0.50,0.04,K_\n0,0.74,0.54,0.04,__\n0,0.66,0.58,0.04,__\n0,N/A,N/A,0.04,__\n\
         0,0.70,0.66,0.04,__\n0,N/A,0.70,0.04,__",
    );
    assert!(track.untimed && !track.variable());
    assert_eq!((track.packets, track.first, track.last, track.end), (6, 580_000, 780_000, 820_000));
    assert_eq!((track.rate(), track.mean()), (Some(25.0), None));
    // AVI has no times but those of decoding.
    let track = scan("0,N/A,0.00,0.04,K_\n0,N/A,0.04,0.04,__\n0,0.08,0.08,0.04,__");
    assert!(track.decoded_only() && !track.untimed);
    // The last to be shown is decoded before those that refer to it.
    let track = scan("0,0.04,0.00,0.04,K_\n0,N/A,0.04,0.04,__\n0,0.08,0.08,0.04,__\n0,0.12,0.12,0.04,__");
    assert_eq!((track.first, track.last, track.rate()), (40_000, 160_000, Some(25.0)));
}

#[test]
fn lines_that_are_no_packets_are_passed_over() {
    let mut scan = Scan::of([(9, Kind::Sound)].into());
    for line in ["", "packet", ",,,,", "0", "9,nan,inf,1e300,0,0,K_"] {
        scan.line(line);
    }
    scan.finish();
    assert_eq!(scan.track(9).unwrap().rate(), None);
    assert_eq!(scan.track(9).unwrap().end, 0);
}

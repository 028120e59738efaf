//! The expressions of ffmpeg's `setpts` and `asetpts` that put decoded frames on the timeline. Leaves making the timeline
//! to `timeline`.

use crate::timeline::Stretch;

/// Seconds that counted samples may differ from ffmpeg's time: half a PES packet's length.
const COUNTED: f64 = 0.25;

/// Seconds that the first time and another one may be off together.
const ROUNDED: f64 = 0.0015;

/// Returns the expression of `asetpts` that puts sound on the timeline, counted from `zero` in seconds.
///
/// Frames behind the first of a PES packet have no time of their own and no position. ffmpeg gives them times by the
/// rate that the stream began with, which is wrong behind a change; here they follow the frame before by its samples.
pub(crate) fn sound_expression(stretches: &[Stretch], zero: f64) -> String {
    // Registers: 0 the shift, 1 the samples of the frame before, 2 its time, 3 whether there is one.
    let own = format!("PTS*TB+st(0,if(isnan(POS),ld(0),{}))-{zero:.6}", table(stretches));
    let follows = "ld(2)+ld(1)/SR";
    format!(
        "'st(4,{own});st(2,if(isnan(POS)*ld(3)*lt(abs(ld(4)-({follows})),{COUNTED}),{follows},ld(4)));\
         st(1,NB_SAMPLES);st(3,1);ld(2)/TB'"
    )
}

/// Returns the expression of `asetpts` that puts sound without stretches on the timeline, counted from `zero` in seconds,
/// whose container rounds times to milliseconds: frames follow each other without gaps from `first` on, so each belongs
/// a whole number of frames behind it. A time that is further from there than rounding explains stays.
pub(crate) fn rounded_sound_expression(first: f64, zero: f64) -> String {
    // Registers: 0 the time in samples, 1 the nearest place.
    format!(
        "'st(0,(PTS*TB-{zero:.6})*SR);st(1,{first:.6}*SR+round((ld(0)-{first:.6}*SR)/NB_SAMPLES)*NB_SAMPLES);\
         round(if(lt(abs(ld(0)-ld(1)),{ROUNDED}*SR),ld(1),ld(0))/SR/TB)'"
    )
}

/// Returns the expression of `setpts` that puts pictures on the timeline, counted from `zero` in seconds.
pub(crate) fn expression(stretches: &[Stretch], zero: f64) -> String {
    if stretches.is_empty() {
        return format!("PTS-{zero:.6}/TB");
    }
    // Frames that share a packet with the one before have no position of their own: register 0 keeps the last shift.
    format!("'PTS+(st(0,if(isnan(POS),ld(0),{}))-{zero:.6})/TB'", table(stretches))
}

/// Returns the expression of `setpts` for pictures of which some have no time of their own, which ffmpeg then makes up
/// wrongly: each follows the one before by `frame` seconds, unless two in a row are off by as much.
pub(crate) fn counted_expression(stretches: &[Stretch], zero: f64, frame: f64) -> String {
    // Registers: 0 the shift, 2 the time of the frame before, 3 whether there is one, 4 this one's own time, 5 how far
    // that is off, 6 how far the one before was.
    let (half, quarter) = (frame / 2.0, frame / 4.0);
    format!(
        "'st(4,PTS*TB+st(0,if(isnan(POS),ld(0),{}))-{zero:.6});st(5,ld(4)-ld(2)-{frame:.9});\
         st(2,if(ld(3)*not(lt(abs(ld(5)),{half:.9}))*not(lt(abs(ld(5)-ld(6)),{quarter:.9})),ld(2)+{frame:.9},ld(4)));\
         st(6,ld(5));st(3,1);ld(2)/TB'",
        table(stretches)
    )
}

/// Returns the shift by position as nested halves, for the parser takes no more than a hundred levels.
fn table(stretches: &[Stretch]) -> String {
    match stretches {
        [] => "0".to_owned(),
        [one] => format!("{:.6}", one.shift as f64 / 1e6),
        _ => {
            let (before, after) = stretches.split_at(stretches.len() / 2);
            format!("if(lt(POS,{}),{},{})", after[0].position, table(before), table(after))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filters_look_shifts_up_by_position() {
        assert_eq!(expression(&[], 1.5), "PTS-1.500000/TB");
        let stretches =
            [(0, 0), (100, 5_000_000), (200, -1)].map(|(position, shift)| Stretch { position, shift });
        assert_eq!(
            expression(&stretches, 0.0),
            "'PTS+(st(0,if(isnan(POS),ld(0),if(lt(POS,100),0.000000,if(lt(POS,200),5.000000,-0.000001))))-0.000000)/TB'"
        );
    }

    #[test]
    fn sound_counts_samples_where_frames_have_no_position() {
        let text = sound_expression(&[], 1.5);
        assert!(text.starts_with("'st(4,PTS*TB+st(0,if(isnan(POS),ld(0),0))-1.500000)"), "{text}");
    }
}

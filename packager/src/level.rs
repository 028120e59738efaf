//! H.264 levels: the lowest one whose limits a stream keeps (ITU-T H.264 Table A-1).

/// One row of Table A-1 for the High profile.
struct Level {
    idc: u8,
    macroblocks_per_second: u64,
    macroblocks: u64,
    picture_buffer: u64,
    /// In units of 1250 bits (a second), which is cpbBrVclFactor of High (Table A-2).
    bitrate: u64,
    buffer: u64,
}

const fn row(idc: u8, speed: u64, size: u64, rest: (u64, u64, u64)) -> Level {
    Level {
        idc,
        macroblocks_per_second: speed,
        macroblocks: size,
        picture_buffer: rest.0,
        bitrate: rest.1,
        buffer: rest.2,
    }
}

const TABLE: [Level; 19] = [
    row(10, 1_485, 99, (396, 64, 175)),
    row(11, 3_000, 396, (900, 192, 500)),
    row(12, 6_000, 396, (2_376, 384, 1_000)),
    row(13, 11_880, 396, (2_376, 768, 2_000)),
    row(20, 11_880, 396, (2_376, 2_000, 2_000)),
    row(21, 19_800, 792, (4_752, 4_000, 4_000)),
    row(22, 20_250, 1_620, (8_100, 4_000, 4_000)),
    row(30, 40_500, 1_620, (8_100, 10_000, 10_000)),
    row(31, 108_000, 3_600, (18_000, 14_000, 14_000)),
    row(32, 216_000, 5_120, (20_480, 20_000, 20_000)),
    row(40, 245_760, 8_192, (32_768, 20_000, 25_000)),
    row(41, 245_760, 8_192, (32_768, 50_000, 62_500)),
    row(42, 522_240, 8_704, (34_816, 50_000, 62_500)),
    row(50, 589_824, 22_080, (110_400, 135_000, 135_000)),
    row(51, 983_040, 36_864, (184_320, 240_000, 240_000)),
    row(52, 2_073_600, 36_864, (184_320, 240_000, 240_000)),
    row(60, 4_177_920, 139_264, (696_320, 240_000, 240_000)),
    row(61, 8_355_840, 139_264, (696_320, 480_000, 480_000)),
    row(62, 16_711_680, 139_264, (696_320, 800_000, 800_000)),
];

/// Reference pictures that a decoder must hold: x264's presets up to `medium` keep three, and
/// pyramid B-frames a fourth.
const REFERENCES: u64 = 4;

/// The properties that levels limit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stream {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) fps: f64,
    pub(crate) maxrate_bps: u64,
    pub(crate) bufsize_bits: u64,
}

/// Returns `level_idc`, ten times the level; the highest there is for what fits none.
pub(crate) fn idc(stream: Stream) -> u8 {
    let columns = u64::from(stream.width.div_ceil(16));
    let lines = u64::from(stream.height.div_ceil(16));
    let size = columns * lines;
    let speed = (size as f64 * stream.fps).ceil() as u64;
    let fits = |level: &&Level| {
        // §A.3.1 h and i: no side longer than sqrt(8 × MaxFS).
        let longer = columns.max(lines);
        longer * longer <= level.macroblocks * 8
            && size <= level.macroblocks
            && speed <= level.macroblocks_per_second
            && size * REFERENCES <= level.picture_buffer
            && stream.maxrate_bps <= level.bitrate * 1_250
            && stream.bufsize_bits <= level.buffer * 1_250
    };
    TABLE.iter().find(fits).unwrap_or(&TABLE[TABLE.len() - 1]).idc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_those_of_table_a_1() {
        let check = |width: u32, height: u32, fps: f64, maxrate_bps: u64, expected: u8| {
            let bufsize_bits = maxrate_bps;
            let stream = Stream { width, height, fps, maxrate_bps, bufsize_bits };
            assert_eq!(idc(stream), expected, "{stream:?}");
        };
        check(426, 240, 30.0, 400_000, 21);
        check(640, 360, 30.0, 800_000, 30);
        check(640, 360, 60.0, 1_200_000, 31);
        check(854, 480, 30.0, 1_800_000, 31);
        check(1280, 720, 30.0, 2_800_000, 31);
        check(1280, 720, 60.0, 4_200_000, 32);
        check(1920, 1080, 30.0, 5_000_000, 40);
        check(1080, 1920, 30.0, 5_000_000, 40);
        check(1920, 1080, 30.0, 26_000_000, 41);
        check(1920, 1080, 60.0, 7_500_000, 42);
        check(2560, 1440, 30.0, 9_000_000, 50);
        check(3840, 2160, 30.0, 16_000_000, 51);
        check(3840, 2160, 60.0, 24_000_000, 52);
        check(7680, 4320, 30.0, 80_000_000, 60);
        check(7680, 4320, 60.0, 80_000_000, 61);
        check(2, 2, 5.0, 50_000, 10);
        // Few macroblocks, but a long side.
        check(4112, 16, 5.0, 50_000, 42);
    }
}

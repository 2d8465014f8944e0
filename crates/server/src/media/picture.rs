//! What an image is: whether it can be read, how large it is, and what it looks like when it is smaller.

use super::format::Format;
use super::locator::Variant;
use image::codecs::jpeg::JpegEncoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageEncoder, ImageFormat, ImageReader, Limits};
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

/// Thumbnails fit into squares of so many pixels a side.
const LARGE_PIXELS: u32 = 720;
const SMALL_PIXELS: u32 = 200;
/// Of thumbnails: a tenth of the size at which differences would be seen.
const JPEG_QUALITY: u8 = 80;
/// The most that any of the formats needs: four channels of 16 bits.
const BYTES_A_PIXEL_MAX: u64 = 8;

/// An image that could be read.
#[derive(Debug)]
pub(super) struct Picture {
    /// As it is shown, which a camera that was held upright says in the file.
    pub(super) width: u32,
    pub(super) height: u32,
    /// The large one first. Left out are those that would be no smaller.
    pub(super) thumbnails: Vec<Thumbnail>,
}

#[derive(Debug)]
pub(super) struct Thumbnail {
    pub(super) variant: Variant,
    pub(super) format: Format,
    pub(super) width: u32,
    pub(super) height: u32,
    /// Without anything but the pixels: nothing says any more where it was taken.
    pub(super) bytes: Vec<u8>,
}

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unreadable {
    #[error("{0}")]
    Damaged(#[from] image::ImageError),
    #[error("{width} x {height} pixels are more than {pixels_max}")]
    TooLarge { width: u32, height: u32, pixels_max: u64 },
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

/// Reads an image, which takes time and memory: the caller says how many are read at once.
pub(super) fn look_at(path: &Path, format: Format, pixels_max: u64) -> Result<Picture, Unreadable> {
    let file = BufReader::new(File::open(path)?);
    let mut reader = ImageReader::with_format(file, decoded_as(format));
    let bytes_max = pixels_max.saturating_mul(BYTES_A_PIXEL_MAX);
    let mut limits = Limits::default();
    limits.max_alloc = Some(bytes_max);
    reader.limits(limits);
    let mut decoder = reader.into_decoder()?;
    let (width, height) = decoder.dimensions();
    // Before anything is unfolded: a few bytes can say that they are gigabytes.
    let pixels = u64::from(width) * u64::from(height);
    if pixels == 0 || pixels > pixels_max || decoder.total_bytes() > bytes_max {
        return Err(Unreadable::TooLarge { width, height, pixels_max });
    }
    // What is wrong in the file about itself does not make its pixels worse.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let image = DynamicImage::from_decoder(decoder)?;
    let (width, height) = if swaps_sides(orientation) { (height, width) } else { (width, height) };
    Ok(Picture { width, height, thumbnails: thumbnails(image, orientation)? })
}

fn thumbnails(image: DynamicImage, orientation: Orientation) -> Result<Vec<Thumbnail>, Unreadable> {
    let mut made = Vec::new();
    let (mut current, mut is_turned) = (image, false);
    for (variant, side) in [(Variant::Large, LARGE_PIXELS), (Variant::Small, SMALL_PIXELS)] {
        if current.width() <= side && current.height() <= side {
            continue;
        }
        // Turned only when it is small already, which costs next to nothing.
        let mut smaller = current.thumbnail(side, side);
        if !is_turned {
            smaller.apply_orientation(orientation);
            is_turned = true;
        }
        let (format, bytes) = encode(&smaller)?;
        made.push(Thumbnail { variant, format, width: smaller.width(), height: smaller.height(), bytes });
        current = smaller;
    }
    Ok(made)
}

/// As JPEG, unless something shines through.
fn encode(image: &DynamicImage) -> Result<(Format, Vec<u8>), Unreadable> {
    let mut bytes = Vec::new();
    let rgba = image.color().has_alpha().then(|| image.to_rgba8());
    if let Some(rgba) = rgba.filter(|rgba| rgba.pixels().any(|pixel| pixel.0[3] != u8::MAX)) {
        let encoder = image::codecs::png::PngEncoder::new(&mut bytes);
        let (width, height) = rgba.dimensions();
        encoder.write_image(&rgba, width, height, image::ExtendedColorType::Rgba8)?;
        return Ok((Format::Png, bytes));
    }
    JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY).encode_image(&image.to_rgb8())?;
    Ok((Format::Jpg, bytes))
}

fn swaps_sides(orientation: Orientation) -> bool {
    use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
    matches!(orientation, Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH)
}

fn decoded_as(format: Format) -> ImageFormat {
    match format {
        Format::Jpg => ImageFormat::Jpeg,
        Format::Gif => ImageFormat::Gif,
        Format::Webp => ImageFormat::WebP,
        Format::Bmp => ImageFormat::Bmp,
        // Only images come here.
        _ => ImageFormat::Png,
    }
}

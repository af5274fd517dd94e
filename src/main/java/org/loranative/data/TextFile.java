package org.loranative.data;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PushbackInputStream;
import java.io.StringWriter;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import org.loranative.UserException;

/**
 * Text files, those that end in .gz unpacked. A byte-order mark says how one is encoded and is no
 * part of the text.
 */
public final class TextFile {
  private static final int MARK = 3;

  /**
   * How files without a byte-order mark are encoded.
   *
   * @param key the setting that can say otherwise, "" if there is none
   */
  public record Encoding(Charset charset, String key) {
    public static final Encoding UTF_8 = new Encoding(StandardCharsets.UTF_8, "");
  }

  private TextFile() {}

  /** The whole text; anything that cannot be read is named. */
  public static String read(Path file, Encoding encoding) {
    StringWriter text = new StringWriter();
    try (BufferedReader reader = open(file, encoding)) {
      reader.transferTo(text);
    } catch (CharacterCodingException e) {
      throw undecodable(file, encoding, e);
    } catch (IOException e) {
      throw new UserException(file + " cannot be read: " + UserException.reason(e) + ".", e);
    }
    if (text.getBuffer().indexOf("\0") >= 0) {
      throw undecodable(file, encoding, new CharacterCodingException());
    }
    return text.toString();
  }

  /** A reader that stops at what cannot be decoded. */
  static BufferedReader open(Path file, Encoding encoding) throws IOException {
    PushbackInputStream in = new PushbackInputStream(Unpacked.open(file), MARK);
    byte[] head = in.readNBytes(MARK);
    Optional<Charset> marked = marked(head);
    int skipped =
        marked.isEmpty() ? 0 : marked.get().equals(StandardCharsets.UTF_8) ? MARK : MARK - 1;
    in.unread(head, skipped, head.length - skipped);
    return new BufferedReader(
        new InputStreamReader(
            in,
            marked
                .orElse(encoding.charset())
                .newDecoder()
                .onMalformedInput(CodingErrorAction.REPORT)
                .onUnmappableCharacter(CodingErrorAction.REPORT)));
  }

  private static Optional<Charset> marked(byte[] head) {
    int first = head.length < 2 ? 0 : (head[0] & 255) << 8 | head[1] & 255;
    return switch (first) {
      case 0xEFBB ->
          head.length == MARK && (head[2] & 255) == 0xBF
              ? Optional.of(StandardCharsets.UTF_8)
              : Optional.empty();
      case 0xFEFF -> Optional.of(StandardCharsets.UTF_16BE);
      case 0xFFFE -> Optional.of(StandardCharsets.UTF_16LE);
      default -> Optional.empty();
    };
  }

  /** Says what the encoding may be, and what to do. */
  static UserException undecodable(Path file, Encoding encoding, CharacterCodingException e) {
    String guess = EncodingGuess.of(file);
    String from = guess.isEmpty() ? "ENCODING" : guess;
    return new UserException(
        file
            + " is not "
            + encoding.charset().name()
            + " text"
            + (guess.isEmpty() ? "" : "; it looks like " + guess)
            + ". "
            + (encoding.key().isEmpty()
                ? "Convert it"
                : "Set "
                    + encoding.key()
                    + ": "
                    + from.toLowerCase(Locale.ROOT)
                    + ", or convert it")
            + ": iconv -f "
            + from
            + " -t UTF-8 FILE > NEW.",
        e);
  }
}

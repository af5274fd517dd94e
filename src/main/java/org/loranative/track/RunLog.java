package org.loranative.track;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import ch.qos.logback.core.FileAppender;
import ch.qos.logback.core.read.ListAppender;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Where log lines go: the console, without decoration, and during a run train.log, with time. */
public final class RunLog {
  /** What the console shows, and above. */
  private static volatile Level shown = Level.INFO;

  private RunLog() {}

  /** Sets up the console; called once, before anything is logged. */
  public static void toConsole(Console console) {
    LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
    context.reset();
    AppenderBase<ILoggingEvent> appender =
        new AppenderBase<>() {
          @Override
          protected void append(ILoggingEvent event) {
            if (!event.getLevel().isGreaterOrEqual(shown)) {
              return;
            }
            if (event.getLevel().isGreaterOrEqual(Level.WARN)) {
              console.warning(event.getFormattedMessage());
            } else {
              console.line(event.getFormattedMessage());
            }
          }
        };
    appender.setContext(context);
    appender.start();
    root(context).addAppender(appender);
    root(context).setLevel(Level.WARN);
    context.getLogger("org.loranative").setLevel(Level.DEBUG);
  }

  /** Lines of a run that has no folder yet, kept until it has; close it to drop them. */
  public static final class Beginning implements AutoCloseable {
    private final ListAppender<ILoggingEvent> appender = new ListAppender<>();

    private Beginning() {
      LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
      appender.setContext(context);
      appender.start();
      root(context).addAppender(appender);
    }

    @Override
    public void close() {
      LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
      root(context).detachAppender(appender);
      appender.list.clear();
    }
  }

  /** Keeps lines from now on. */
  public static Beginning begin() {
    return new Beginning();
  }

  /**
   * Adds {@code file}; close to detach it. DEBUG lines of ours go there alone.
   *
   * @param beginning lines that were logged before there was the file; it ends here
   */
  public static AutoCloseable toFile(Path file, Beginning beginning) {
    LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
    PatternLayoutEncoder encoder = new PatternLayoutEncoder();
    encoder.setContext(context);
    encoder.setPattern("%d{yyyy-MM-dd HH:mm:ss.SSS} %-5level %msg%n");
    encoder.start();
    FileAppender<ILoggingEvent> appender = new FileAppender<>();
    appender.setContext(context);
    appender.setFile(file.toString());
    appender.setEncoder(encoder);
    appender.start();
    beginning.appender.list.forEach(appender::doAppend);
    beginning.close();
    root(context).addAppender(appender);
    return () -> {
      root(context).detachAppender(appender);
      appender.stop();
    };
  }

  /** Shows only warnings on the console until it is closed; files get all. */
  public static AutoCloseable quiet() {
    return shown(Level.WARN);
  }

  /** Shows nothing on the console until it is closed; files get all. */
  public static AutoCloseable silent() {
    return shown(Level.OFF);
  }

  private static AutoCloseable shown(Level level) {
    Level before = shown;
    shown = level;
    return () -> shown = before;
  }

  private static ch.qos.logback.classic.Logger root(LoggerContext context) {
    return context.getLogger(Logger.ROOT_LOGGER_NAME);
  }
}

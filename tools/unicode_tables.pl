#!/usr/bin/perl
# Prints src/text/unicode_tables.h: simple case folding and script ranges, from Perl's own Unicode database.
# Run: perl tools/unicode_tables.pl > src/text/unicode_tables.h
use strict;
use warnings;
use feature qw(fc unicode_strings);
use Unicode::UCD ();

my @scripts = qw(Latin Greek Cyrillic Armenian Hebrew Arabic Syriac Thaana Devanagari Bengali Gurmukhi Gujarati Oriya Tamil
    Telugu Kannada Malayalam Sinhala Thai Lao Tibetan Myanmar Georgian Hangul Ethiopic Cherokee Khmer Mongolian Hiragana
    Katakana Bopomofo Han Yi);

sub each_scalar { # calls the sub for every Unicode scalar value
    my ($fn) = @_;
    for my $c (0 .. 0xD7FF, 0xE000 .. 0x10FFFF) { $fn->($c); }
}

# Simple folding (CaseFolding.txt, status C and S): the full folding where it is one character, else the lower-case letter.
sub simple_fold {
    my ($c) = @_;
    return $c if $c == 0x130;                    # only Turkic and full foldings exist
    return $c if $c == 0xFB05 || $c == 0x1FD3 || $c == 0x1FE3; # got a status S folding only in Unicode 15.1
    my $full = CORE::fc(chr $c);
    return ord $full if length $full == 1;
    my $lower = lc(chr $c);
    return length $lower == 1 ? ord $lower : $c;
}

sub print_folds {
    my @runs; # [first, last, delta, stride]
    each_scalar(sub {
        my ($c) = @_;
        my $delta = simple_fold($c) - $c;
        return if $delta == 0;
        my $run = $runs[-1];
        if ($run && $run->[2] == $delta) {
            my $gap = $c - $run->[1];
            if ($gap <= 2 && ($run->[0] == $run->[1] || $run->[3] == $gap)) {
                @$run[1, 3] = ($c, $gap);
                return;
            }
        }
        push @runs, [$c, $c, $delta, 1];
    });
    print "/* Every `stride`-th code point of [first, last] folds to itself plus `delta`. Sorted. */\n";
    print "static const struct fold_run fold_runs[] = {\n";
    my @cells = map { sprintf "{ 0x%X, 0x%X, %d, %d }", @$_ } @runs;
    print_cells(3, @cells);
    print "};\n\n";
}

sub print_scripts {
    my @ranges;
    my %number;
    for my $name (@scripts) {
        $number{$name} = 1;
        my $re = qr/\p{Script=$name}/;
        my $open;
        my $last = -2;
        for my $c (0 .. 0xD7FF, 0xE000 .. 0x323FF, 0xE0000 .. 0xE01FF) {
            next unless chr($c) =~ $re;
            if ($c == $last + 1) { $open->[1] = $c; }
            else { push @ranges, $open = [$c, $c, $name]; }
            $last = $c;
        }
    }
    @ranges = sort { $a->[0] <=> $b->[0] } @ranges;
    print "/* Property Script of the scripts that we tell apart. Sorted. */\n";
    print "static const struct script_range script_ranges[] = {\n";
    print_cells(3, map { sprintf "{ 0x%X, 0x%X, SCRIPT_%s }", $_->[0], $_->[1], uc $_->[2] } @ranges);
    print "};\n";
}

sub print_cells {
    my ($per_line, @cells) = @_;
    while (my @line = splice @cells, 0, $per_line) { print "    ", join(", ", @line), ",\n"; }
}


print "/* Written by tools/unicode_tables.pl from Unicode ", Unicode::UCD::UnicodeVersion(), ". Do not edit. */\n";
print "/* clang-format off */\n\n";
print_folds();
print_scripts();
print "/* clang-format on */\n";
